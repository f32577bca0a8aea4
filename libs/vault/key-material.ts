import { randomBytes } from 'node:crypto';

/** AES-256. */
export const keyBytes = 32;

/** 96 random bits, as 16 characters. */
export function newKeyId(): string {
  return randomBytes(12).toString('base64url');
}
