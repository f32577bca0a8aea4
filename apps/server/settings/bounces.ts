import { domainToASCII } from 'node:url';
import { mostLocalPart } from '#libs/channel/email';
import { Malformed, type Parse } from './parse.js';

/** Where mail that comes back is taken. */
export interface ListenAddress {
  /** A name or an address; without brackets. */
  readonly host: string;
  readonly port: number;
}

const label = '[a-z\\d](?:[a-z\\d-]{0,61}[a-z\\d])?';
const domainPattern = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`, 'i');
const localPattern = new RegExp(`^(?=.{1,${mostLocalPart}}$)[\\w-]+(?:\\.[\\w-]+)*$`);

/** The domain as it goes over the wire. */
export const bounceAddress: Parse<string> = (text) => {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = domainToASCII(text.slice(at + 1));
  if (at < 1 || !localPattern.test(local) || !domainPattern.test(domain)) {
    throw new Malformed(
      `must be an address like bounces@mail.example.com: letters, digits and . _ -, ${mostLocalPart} at most before the @`,
    );
  }
  return `${local}@${domain.toLowerCase()}`;
};

/** `host:port`, or a port of this machine only. */
export const listenAddress: Parse<ListenAddress> = (text) => {
  const [, bracketed, name, port] = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new Malformed('must be a host and a port like 127.0.0.1:2525, or a port of this machine like 2525');
  }
  return { host: bracketed ?? name ?? '127.0.0.1', port: Number(port) };
};
