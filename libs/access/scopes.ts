/** Every scope a key can have, and what it opens. The names stand in key files: never rename one. */
export const scopeMeanings = {
  'notifications:write': 'send notifications, one by one or in batches, and cancel them',
  'notifications:read': 'see notifications, what they said, and the mails and Slack messages made of them',
  'broadcasts:write': 'tell several recipients, or a group, in one notification; needs `notifications:write` too',
  'broadcasts:read': 'see what became of broadcasts',
  'recipients:write': 'put recipients: their addresses and preferences',
  'recipients:read': 'see recipients',
  'recipients:erase': 'destroy the personal data of recipients',
  'groups:write': 'put and delete groups, and change their members',
  'groups:read': 'see groups and their members',
  'blobs:write': 'upload files to attach, look at them and remove them',
  'bounces:write': 'report what became of mails after they were sent',
  'audit:read': 'read the records of all streams, personal data included',
  operate: 'see and steer the consumers, their parked records and the streams',
  'metrics:read': 'read the measurements',
} as const;

export type Scope = keyof typeof scopeMeanings;

export const scopes = Object.keys(scopeMeanings) as readonly Scope[];

/** Opens everything, also what a later version adds. */
export const everyScope = '*';

/** What an entry of a key file lists. */
export type GrantedScope = Scope | typeof everyScope;

export const grantedScopes: readonly GrantedScope[] = [...scopes, everyScope];
