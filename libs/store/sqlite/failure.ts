import { messageOf } from '#libs/kernel';
import { StoreUnavailable, StoreUnusable } from '#libs/store/port';

/** An error on its way between threads. */
export interface Failure {
  readonly code: 'store-unavailable' | 'store-unusable';
  readonly message: string;
}

export function deserializeFailure(failure: Failure): StoreUnavailable | StoreUnusable {
  return failure.code === 'store-unusable' ? new StoreUnusable(failure.message) : new StoreUnavailable(failure.message);
}

function sqliteCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

export function isUniqueViolation(thrown: unknown): boolean {
  return sqliteCode(thrown) === 'SQLITE_CONSTRAINT_UNIQUE';
}

export function isBusy(thrown: unknown): boolean {
  return sqliteCode(thrown).startsWith('SQLITE_BUSY');
}

export function isFull(thrown: unknown): boolean {
  return sqliteCode(thrown).startsWith('SQLITE_FULL');
}

/** Says what went wrong with the file, and what to do about it. */
export function failureOf(thrown: unknown, file: string): Failure {
  if (thrown instanceof StoreUnusable) return { code: thrown.code, message: thrown.message };
  const code = sqliteCode(thrown);
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
    return {
      code: 'store-unusable',
      message: `${file} is damaged or not a database (${messageOf(thrown)}): restore it from a backup, or move it away to start empty`,
    };
  }
  if (isFull(thrown)) {
    return {
      code: 'store-unavailable',
      message: `no space left for ${file}: nothing was written; free some and try again`,
    };
  }
  return { code: 'store-unavailable', message: `${file}: ${messageOf(thrown)}${code === '' ? '' : ` (${code})`}` };
}
