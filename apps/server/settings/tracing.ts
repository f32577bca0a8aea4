import type { SamplerName } from '#libs/tracing';
import { Malformed, type Parse } from './parse.js';

export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const satisfies readonly SamplerName[];

/** Where a collector is. */
export const collectorUrl: Parse<string> = (text) => {
  const shape = 'must be a URL like http://127.0.0.1:4318, without credentials; OTEL_EXPORTER_OTLP_HEADERS is for them';
  if (!URL.canParse(text) || /[?#]/.test(text)) throw new Malformed(shape);
  const { protocol, username, password, href } = new URL(text);
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') throw new Malformed(shape);
  return href;
};

/** `name=value` with commas between them; values are percent-encoded. */
export const headerList: Parse<Readonly<Record<string, string>>> = (text) => {
  const pairs = text.split(',').map((pair) => {
    const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(\S.*?)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) throw new Malformed('must be like name=value,name=value');
    return [name.toLowerCase(), headerValue(value)] as const;
  });
  return Object.fromEntries(pairs);
};

function headerValue(text: string): string {
  let value: string;
  try {
    value = decodeURIComponent(text);
  } catch {
    throw new Malformed('must have its values percent-encoded');
  }
  if (!/^[\x20-\x7e]+$/.test(value)) throw new Malformed('must have values of visible ASCII characters');
  return value;
}

/** From 0 to 1. */
export const ratio: Parse<number> = (text) => {
  const value = /^\d{1,9}(\.\d{1,18})?$/.test(text) ? Number(text) : NaN;
  if (!(value >= 0 && value <= 1)) throw new Malformed('must be a number from 0 to 1');
  return value;
};

/** Something to be shown by. */
export const label: Parse<string> = (text) => {
  if (!/^[ -~]{1,200}$/.test(text)) throw new Malformed('must be 1 to 200 visible ASCII characters');
  return text;
};
