import type { NotificationSearch } from '../../api/queries.js';

export const statuses = [
  ...['requested', 'scheduled', 'sending', 'sent', 'partiallySent'],
  ...['failed', 'optedOut', 'expired', 'cancelled'],
] as const;

/** What the one field of text can be, by the parameter it becomes. */
export const subjects = {
  address: 'Address',
  recipientId: 'Recipient id',
  tag: 'Tag (name:value)',
  id: 'Tracking id',
} as const;

export type Subject = keyof typeof subjects;

const names = ['address', 'recipientId', 'tag', 'category', 'status', 'channel'] as const;

/** The search that an address of the page stands for. */
export function searchOf(parameters: URLSearchParams): NotificationSearch {
  return Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ''])) as unknown as NotificationSearch;
}
