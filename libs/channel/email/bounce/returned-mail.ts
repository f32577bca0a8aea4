import PostalMime, { type Email } from 'postal-mime';
import { MalformedReport, readDeliveryStatus, type ReportedRecipient } from './delivery-status.js';

/** A mail that came back, as far as it matters. */
export interface ReturnedMail {
  /** What it reports; null: it is no delivery status notification, but an answer of a person or a machine. */
  readonly recipients: readonly ReportedRecipient[] | null;
  /** All that its headers say of where it was sent. */
  readonly sentTo: string;
  /** Message-ID of the mail that it is about, with its angle brackets. */
  readonly originalMessageId: string | undefined;
}

const recipientHeaders = ['to', 'delivered-to', 'x-original-to', 'envelope-to'];
const statusTypes = ['message/delivery-status', 'message/global-delivery-status'];
const originalTypes = [
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/rfc822-headers',
  'message/global-headers',
];
/** Bytes of the mail that it is about, of which only the headers matter. */
const originalBytes = 65_536;
const limits = { maxNestingDepth: 20, maxHeadersSize: 262_144, maxRfc822NestingDepth: 0 };

/**
 * Reads a mail that came back, also where its end is missing: what is reported stands before the mail that it is about.
 * @throws MalformedReport
 */
export async function readReturnedMail(bytes: Uint8Array): Promise<ReturnedMail> {
  const mail = await parsed(bytes);
  const headers = mail.headers.filter(({ key }) => recipientHeaders.includes(key));
  const sentTo = headers.map(({ value }) => value).join('\n');
  if (!isDeliveryReport(mail)) return { recipients: null, sentTo, originalMessageId: undefined };
  const status = partOf(mail, statusTypes);
  if (status === undefined) throw new MalformedReport('the report has no part with the delivery status');
  const recipients = readDeliveryStatus(new TextDecoder().decode(status));
  const original = partOf(mail, originalTypes);
  const originalMessageId = original && (await parsed(original.subarray(0, originalBytes))).messageId;
  return { recipients, sentTo, originalMessageId };
}

async function parsed(bytes: Uint8Array): Promise<Email> {
  try {
    return await PostalMime.parse(bytes, { ...limits, forceRfc822Attachments: true });
  } catch {
    // Its own message may repeat what it could not read.
    throw new MalformedReport('the mail cannot be read');
  }
}

function isDeliveryReport({ headers }: Email): boolean {
  const type = headers.find(({ key }) => key === 'content-type')?.value ?? '';
  return /^\s*multipart\/report\b/i.test(type) && /;\s*report-type\s*=\s*"?delivery-status\b/i.test(type);
}

function partOf({ attachments }: Email, types: readonly string[]): Uint8Array | undefined {
  const content = attachments.find(({ mimeType }) => types.includes(mimeType.toLowerCase()))?.content;
  return content === undefined || typeof content === 'string' ? undefined : new Uint8Array(content);
}
