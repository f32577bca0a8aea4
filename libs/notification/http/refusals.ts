import { invalid } from '#libs/http';
import { isHeaderSafe, type FieldProblem } from '#libs/validation';
import { sealedPrefix } from '#libs/vault';
import { IdempotencyKeyReused } from './accept-once.js';
import type { PostNotificationDto } from './post-notification.dto.js';

/** @throws Problem 422 */
export function refuseUselessKey(key: string | undefined): void {
  if (key === undefined || (key.length >= 1 && key.length <= 255 && isHeaderSafe(key))) return;
  throw invalid([{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable characters' }]);
}

/** For a promise's `catch`. @throws Problem 422 in place of IdempotencyKeyReused, else the error itself */
export function refuseReusedKey(error: unknown): never {
  if (!(error instanceof IdempotencyKeyReused)) throw error;
  const message = 'was used before, with another body or for a recipient that was erased since';
  throw invalid([{ path: 'Idempotency-Key', message }]);
}

/** What stands in records in clear must not look sealed: whoever reads the records would have it opened. */
export function sealedTextIn({
  recipientId,
  recipientIds,
  groupId,
  category,
  about,
  tags,
}: PostNotificationDto): FieldProblem | undefined {
  const texts: [path: string, text: string | null | undefined][] = [
    ['recipientId', recipientId],
    ...(recipientIds ?? []).map((id, index): [string, string] => [`recipientIds[${index}]`, id]),
    ['groupId', groupId],
    ['category', category],
    ['about.processId', about?.processId],
    ['about.entityType', about?.entityType],
    ['about.entityId', about?.entityId],
    ...Object.entries(tags ?? {}).map(([name, text]): [string, string] => [`tags.${name}`, text]),
  ];
  const path = texts.find(([, text]) => text?.startsWith(sealedPrefix))?.[0];
  return path === undefined ? undefined : { path, message: `must not start with ${sealedPrefix}` };
}
