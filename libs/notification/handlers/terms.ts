import type { NotificationRequested } from '../event/contents.js';
import type { DeliveryRules } from '../event/resolve.js';
import { rfc3339 } from '../event/time.js';
import type { NotificationRequest } from '../operations/read-request.js';

/** What follows from a request alone, whatever becomes of it. */
export interface Terms {
  readonly requested: NotificationRequested;
  /** Not sent earlier, milliseconds since the Unix epoch. */
  readonly begin: number;
}

export function termsOf({ data, created }: NotificationRequest, { window }: Pick<DeliveryRules, 'window'>): Terms {
  const { recipientId, category, severity, subject, about, tags, deliverAt, expiresAt, blobs } = data;
  const begin = deliverAt === null ? created : Math.max(created, Date.parse(deliverAt));
  const notAfter = expiresAt ?? rfc3339(begin + window);
  return {
    requested: { recipientId, category, severity, subject, about, tags, notAfter, ...(blobs && { blobs }) },
    begin,
  };
}
