import { TidingsError } from '#libs/kernel';

/** What a server did with a mail, as RFC 3464 has it. */
export const reportedActions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;
export type ReportedAction = (typeof reportedActions)[number];

/** What a report says of one address. */
export interface ReportedRecipient {
  readonly action: ReportedAction;
  /** The address that the server gave up or holds, then the one that it was given, where the report tells both. */
  readonly addresses: readonly [string, ...string[]];
  /** RFC 3463: `5.1.1`. */
  readonly status: string;
  /** What the server said. */
  readonly diagnostic: string | null;
}

/** A mail says that it is a report and is none that can be read. Its text repeats nothing of the mail. */
export class MalformedReport extends TidingsError {
  readonly code = 'malformed-report';
}

/** More are in no report of a mail that Tidings has sent. */
const mostRecipients = 1_000;
/** Characters of what a server said that are kept. */
export const mostDiagnostic = 1_000;
const longestAddress = 320;
/** Where a report does not tell. */
const anyStatus: Readonly<Record<ReportedAction, string>> = {
  failed: '5.0.0',
  delayed: '4.0.0',
  delivered: '2.0.0',
  relayed: '2.0.0',
  expanded: '2.0.0',
};

type Fields = ReadonlyMap<string, string>;

/** Reads the body of a part `message/delivery-status`. @throws MalformedReport */
export function readDeliveryStatus(text: string): readonly ReportedRecipient[] {
  const groups = text.replaceAll(/\r\n?/g, '\n').split(/\n(?:[ \t]*\n)+/);
  // The first group is about the mail, and a part that is cut short may end with an empty one.
  const recipients = groups.map(fieldsOf).filter((fields) => fields.has('final-recipient') || fields.has('action'));
  if (recipients.length === 0) throw new MalformedReport('the report names no recipient');
  if (recipients.length > mostRecipients) throw new MalformedReport('the report names too many recipients');
  return recipients.map(recipientOf);
}

function fieldsOf(group: string): Fields {
  const fields = new Map<string, string>();
  for (const line of group.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value!.trim());
  }
  return fields;
}

function recipientOf(fields: Fields): ReportedRecipient {
  const named = /^[a-z]+/i.exec(fields.get('action') ?? '')?.[0].toLowerCase();
  const action = reportedActions.find((known) => known === named);
  if (action === undefined) throw new MalformedReport('the report does not say what was done for a recipient');
  const addresses = ['final-recipient', 'original-recipient'].map((name) => addressOf(fields.get(name)));
  const [first, ...others] = addresses.filter((address) => address !== undefined);
  if (first === undefined) throw new MalformedReport('the report does not say whom it is about');
  const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.get('status') ?? '')?.[0] ?? anyStatus[action];
  const said = fields.get('diagnostic-code')?.slice(0, mostDiagnostic);
  return { action, addresses: [first, ...others], status, diagnostic: said === undefined || said === '' ? null : said };
}

/** `rfc822; ada@example.com`, as some servers have it in angle brackets. */
function addressOf(field: string | undefined): string | undefined {
  const address = /^[^;]*;\s*<?([^<>]*?)>?\s*$/.exec(field ?? '')?.[1];
  return address === undefined || address === '' || address.length > longestAddress ? undefined : address;
}
