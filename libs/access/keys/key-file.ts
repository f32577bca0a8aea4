import { ArrayMinSize, ArrayUnique, IsArray, IsIn, IsOptional, Matches } from 'class-validator';
import { IsRfc3339, validate } from '#libs/validation';
import { grantedScopes, type GrantedScope } from '../scopes.js';

/** What names a caller: it stands in logs, in records and in the key itself. */
const nameShape = /^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/;

/** An API key, as the key file has it: nobody can make the key from that. */
export class KeyEntry {
  /** Whose it is. Two keys of one name are one caller, so that a key can be exchanged. */
  @Matches(nameShape, {
    message: 'must be 1 to 63 letters, digits, dots and hyphens, and begin with a letter or digit',
  })
  name!: string;

  /** SHA-256 of the key, in hex or in base64url. */
  @Matches(/^([\w-]{43}|[\da-f]{64})$/i, { message: 'must be a SHA-256 in hex (64 characters) or base64url (43)' })
  hash!: string;

  @IsArray()
  @ArrayMinSize(1, { message: 'must name one at least' })
  @ArrayUnique({ message: 'must not name one twice' })
  @IsIn(grantedScopes, { each: true, message: `must be some of ${grantedScopes.join(', ')}` })
  scopes!: GrantedScope[];

  /** RFC 3339: from then on the key is refused. */
  @IsOptional()
  @IsRfc3339({ message: 'must be an RFC 3339 time like 2027-01-31T12:00:00Z' })
  notAfter?: string | null;
}

/** The key file is not as it has to be; the message says where, in one line, and holds nothing of it. */
export class KeyFileMalformed extends Error {}

/** @throws KeyFileMalformed */
export function parseKeyFile(text: string): readonly KeyEntry[] {
  const entries = parsed(text);
  if (!Array.isArray(entries)) throw new KeyFileMalformed('is not a list');
  const problems = entries.flatMap((entry: unknown, index) =>
    entryProblems(entry).map((problem) => `${problem} in entry ${index + 1}`),
  );
  if (problems.length > 0) throw new KeyFileMalformed(`is not valid: ${problems[0]}`);
  const seen = new Set<string>();
  for (const [index, { hash }] of (entries as KeyEntry[]).entries()) {
    const normal = normalHash(hash);
    if (seen.has(normal)) throw new KeyFileMalformed(`has the key of entry ${index + 1} twice`);
    seen.add(normal);
  }
  return entries as KeyEntry[];
}

/** What is wrong with an entry, each problem with the field that it is of. */
export function entryProblems(entry: unknown): readonly string[] {
  return validate(KeyEntry, entry).map(({ path, message }) => (path === '' ? message : `${path} ${message}`));
}

/** In hex. */
export function normalHash(hash: string): string {
  return Buffer.from(hash, hash.length === 64 ? 'hex' : 'base64url').toString('hex');
}

/** The parser's own message quotes the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new KeyFileMalformed('is not JSON');
  }
}
