import { resolve } from 'node:path';
import type { KeyEntry } from '#libs/access';
import { messageOf } from '#libs/kernel';
import type { Arguments } from '../arguments.js';
import type { LocalCommand } from '../command.js';
import { CommandFailed, exitCodes, usageError, type ExitCode } from '../exit-codes.js';

const fileOption = {
  file: { value: '<file>', help: 'the key file; else TIDINGS_API_KEYS_FILE' },
} as const;

/** How much of a hash is shown: enough to tell keys of one name apart. */
const shownOfHash = 8;

// What checks key files takes a while to load, and other commands do without.
const access = () => import('#libs/access');

function fileOf(args: Arguments): string {
  const file = args.text('file') ?? process.env['TIDINGS_API_KEYS_FILE'];
  if (!file) throw usageError('--file or TIDINGS_API_KEYS_FILE is required');
  return resolve(file);
}

/** Whatever is wrong with the file is told in one line. */
async function onKeyFile(file: string, work: () => Promise<ExitCode>): Promise<ExitCode> {
  const { KeyFileLocked, KeyFileMalformed } = await access();
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyFileMalformed) throw new CommandFailed(exitCodes.filesUnusable, `${file} ${error.message}`);
    if (!(error instanceof KeyFileLocked) && !(error instanceof Error && 'code' in error)) throw error;
    throw new CommandFailed(exitCodes.filesUnusable, messageOf(error));
  }
}

export const createKey: LocalCommand = {
  local: true,
  summary: 'make an API key, and show it this once',
  positionals: [],
  options: {
    name: { value: '<name>', help: 'whose it is, as logs and records will say; required' },
    scope: {
      value: '<scope>',
      help: 'what it opens, * for everything (docs/access.md); may be repeated',
      multiple: true,
    },
    'not-after': { value: '<time>', help: 'when it ends, like 2027-01-31T00:00:00Z' },
    ...fileOption,
  },
  async run({ args, output }) {
    const file = fileOf(args);
    const { editKeyFile, entryProblems, hashOfKey, newKey } = await access();
    const name = args.required('name');
    const key = newKey(name);
    const notAfter = args.text('not-after');
    const scopes = args.texts('scope') as KeyEntry['scopes'];
    const entry = { name, hash: hashOfKey(key), scopes, ...(notAfter !== undefined && { notAfter }) };
    refuse(entryProblems(entry));
    if (notAfter !== undefined && Date.parse(notAfter) <= Date.now()) refuse(['notAfter must be in the future']);
    return onKeyFile(file, async () => {
      await editKeyFile(file, (entries) => ({ entries: [...entries, entry], result: undefined }));
      output.result({ key, ...entry }, () => [key]);
      output.remark(`the key is shown this once; a server that uses ${file} takes it within seconds`);
      return exitCodes.ok;
    });
  },
};

/** As the options are called. */
function refuse([problem]: readonly string[]): void {
  if (problem === undefined) return;
  throw usageError(`--${problem.replace(/^scopes/, 'scope').replace(/^notAfter/, 'not-after')}`);
}

export const listKeys: LocalCommand = {
  local: true,
  summary: 'the API keys of a file: whose they are, and what they open',
  positionals: [],
  options: fileOption,
  async run({ args, output }) {
    const file = fileOf(args);
    const { normalHash, readKeyFile } = await access();
    return onKeyFile(file, async () => {
      const items = (await readKeyFile(file)).map(({ name, hash, scopes, notAfter }) => ({
        name,
        hash: normalHash(hash),
        scopes,
        notAfter: notAfter ?? null,
        expired: notAfter != null && Date.parse(notAfter) <= Date.now(),
      }));
      output.result({ items }, () => [
        output.table(items, [
          { head: 'name', value: ({ name }) => name },
          { head: 'hash', value: ({ hash }) => hash.slice(0, shownOfHash) },
          { head: 'scopes', value: ({ scopes }) => scopes.join(' '), cut: true },
          { head: 'not after', value: ({ notAfter }) => notAfter },
          { head: 'state', value: ({ expired }) => (expired ? 'expired' : 'valid') },
        ]),
      ]);
      return exitCodes.ok;
    });
  },
};

export const revokeKeys: LocalCommand = {
  local: true,
  summary: 'take the API keys of a name away, or one of them',
  positionals: ['<name>'],
  options: {
    hash: { value: '<beginning>', help: 'only the key whose hash begins so, as keys list shows it' },
    ...fileOption,
  },
  async run({ args, output }) {
    const file = fileOf(args);
    const name = args.positionals[0]!;
    const beginning = args.text('hash') ?? '';
    const { editKeyFile, normalHash, readKeyFile } = await access();
    return onKeyFile(file, async () => {
      await readKeyFile(file);
      const revoked = await editKeyFile(file, (entries) => {
        const kept = entries.filter((entry) => entry.name !== name || !normalHash(entry.hash).startsWith(beginning));
        return { entries: kept, result: entries.length - kept.length };
      });
      output.result({ revoked }, () => [output.details({ revoked })]);
      if (revoked === 0) output.remark(`${file} has no such key`);
      return revoked === 0 ? exitCodes.no : exitCodes.ok;
    });
  },
};
