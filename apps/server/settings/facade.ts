import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Malformed, type Parse } from './parse.js';

/** Where the facade listens. */
export interface FacadeAddress {
  /** A name or an address; without brackets. */
  readonly host: string;
  readonly port: number;
}

export const facadeAddress: Parse<FacadeAddress> = (text) => {
  const [, bracketed, name, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || Number(port) > 65_535) throw new Malformed('must be a host and a port like 127.0.0.1:2113');
  return { host, port: Number(port) };
};

/** The private key of a PEM file. */
export const privateKeyFile: Parse<string> = (text, cwd) => {
  let pem: string;
  try {
    pem = readFileSync(resolve(cwd, text), 'utf8');
  } catch (error) {
    throw new Malformed(`names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    createPrivateKey(pem);
  } catch {
    throw new Malformed('must name a file of a private key in PEM format, without a pass phrase');
  }
  return pem;
};

/** As basic authentication has it: a colon would end the name. */
export const userName: Parse<string> = (text) => {
  if (!/^[!-9;-~]{1,100}$/.test(text))
    throw new Malformed('must be visible ASCII characters, without spaces and colons');
  return text;
};

export const password: Parse<string> = (text) => {
  if (text.length < 12 || text.length > 200) throw new Malformed('must have 12 to 200 characters');
  return text;
};
