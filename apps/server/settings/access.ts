import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { KeyFileMalformed, parseKeyFile } from '#libs/access';
import { Malformed, type Parse } from './parse.js';

/** The last part of a name begins with a letter: else it would be an address that is none. */
const hostName = /^([a-z\d]([a-z\d-]{0,61}[a-z\d])?\.)*[a-z]([a-z\d-]{0,61}[a-z\d])?$/i;

export const listenHost: Parse<string> = (text) => {
  if (isIP(text) === 0 && !hostName.test(text)) throw new Malformed('must be an address or a host name like 127.0.0.1');
  return text;
};

/** The path of a key file that can be used as it is now. */
export const apiKeysFile: Parse<string> = (text, cwd) => {
  const path = resolve(cwd, text);
  try {
    parseKeyFile(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof KeyFileMalformed) throw new Malformed(`names a file that ${error.message}`);
    throw new Malformed(`names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return path;
};
