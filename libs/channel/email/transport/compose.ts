import type { Attachment, EmailMessage } from './email-message.js';
import { EmailFailure, invalid } from './email-transport.js';
import { base64Lines, fileNameParameter, hasControlCharacters, mailboxHeader, textHeader } from './mime.js';
import { participantsOf, type Participants } from './participants.js';

/** A mail ready for the wire; dot-stuffing is left to the SMTP connection. */
export interface ComposedEmail {
  /** The sender of the envelope. */
  readonly from: string;
  readonly recipients: readonly string[];
  /** Those of the recipients whom the mail is for; the others get copies. */
  readonly to: readonly string[];
  /** Headers and body (RFC 5322), ASCII only, lines ending in CRLF, the last one too. */
  readonly mime: Buffer;
}

interface Part {
  readonly headers: readonly string[];
  readonly body: string;
}

const mediaTypePattern = /^[\w!#$&^+.-]+\/[\w!#$&^+.-]+(?: *; *[\w!#$&^+.-]+=(?:[\w!#$&^+.-]+|"[ !#-[\]-~]*"))*$/;
const messageIdPattern = /^<[!-;=?A-~]+@[!-;=?A-~]+>$/;
const contentIdPattern = /^[!-;=?-~]+$/;
const priorityHeaders = {
  high: ['X-Priority: 1 (Highest)', 'Priority: urgent', 'Importance: high'],
  normal: [],
  low: ['X-Priority: 5 (Lowest)', 'Priority: non-urgent', 'Importance: low'],
} as const;

/**
 * Checks a message and writes it as MIME, always the same bytes for the same message. It is our own because the
 * general composer costs more CPU than everything else that sending a mail does.
 *
 * Throws `EmailFailure` of stage `participants`, `content`, `options` or `packaging`.
 */
export function compose(message: EmailMessage): ComposedEmail {
  const participants = participantsOf(message);
  checkContent(message);
  checkOptions(message);
  try {
    const headers = headersOf(message, participants).join('\r\n');
    const body = serialised(bodyOf(message));
    const end = body.endsWith('\r\n') ? '' : '\r\n';
    const mime = Buffer.from(`${headers}\r\n${body}${end}`, 'latin1');
    const { returnPath, to, recipients } = participants;
    return { from: returnPath, recipients, to: to.map(({ address }) => address), mime };
  } catch (cause) {
    throw new EmailFailure('the mail could not be composed', { stage: 'packaging', kind: 'permanent', cause });
  }
}

function checkContent({ subject, text, html, attachments = [] }: EmailMessage): void {
  if (hasControlCharacters(subject)) throw invalid('content', 'the subject has control characters');
  if (text === undefined && html === undefined) throw invalid('content', 'a mail needs text or HTML');
  for (const { fileName, mediaType, content, contentId } of attachments) {
    const name = JSON.stringify(fileName);
    if (fileName === '' || hasControlCharacters(fileName)) throw invalid('content', `${name} is not a file name`);
    if (!mediaTypePattern.test(mediaType)) throw invalid('content', `attachment ${name} has no valid media type`);
    if (content.byteLength === 0) throw invalid('content', `attachment ${name} is empty`);
    if (contentId === undefined) continue;
    if (!contentIdPattern.test(contentId)) throw invalid('content', `inline image ${name} has no valid content id`);
    if (html === undefined) throw invalid('content', `inline image ${name} needs HTML that shows it`);
  }
}

function checkOptions({ messageId, date, priority = 'normal' }: EmailMessage): void {
  if (!messageIdPattern.test(messageId) || messageId.length > 900)
    throw invalid('options', `${JSON.stringify(messageId)} is not a Message-ID`);
  if (Number.isNaN(new Date(date).getTime())) throw invalid('options', 'the date is not valid');
  if (!Object.hasOwn(priorityHeaders, priority))
    throw invalid('options', `${JSON.stringify(priority)} is not a priority`);
}

function headersOf(message: EmailMessage, { from, to, cc, replyTo }: Participants): string[] {
  return [
    mailboxHeader('From', [from]),
    mailboxHeader('To', to),
    ...(cc.length > 0 ? [mailboxHeader('Cc', cc)] : []),
    ...(replyTo.length > 0 ? [mailboxHeader('Reply-To', replyTo)] : []),
    textHeader('Subject', message.subject),
    `Message-ID: ${message.messageId}`,
    `Date: ${new Date(message.date).toUTCString().replace('GMT', '+0000')}`,
    ...priorityHeaders[message.priority ?? 'normal'],
    'MIME-Version: 1.0',
  ];
}

/** alternative(text, related(HTML, inline images)), with attachments inside mixed; each level only where needed. */
function bodyOf(message: EmailMessage): Part {
  const { text, html, attachments = [] } = message;
  const boundary = boundaryFor(message);
  const inline = attachments.filter(({ contentId }) => contentId !== undefined);
  const attached = attachments.filter(({ contentId }) => contentId === undefined);

  const bodies: Part[] = [];
  if (text !== undefined) bodies.push(textPart('plain', text));
  if (html !== undefined)
    bodies.push(
      multipart(`related; type="text/html"`, `${boundary}r`, [textPart('html', html), ...inline.map(filePart)]),
    );
  return multipart('mixed', `${boundary}m`, [
    multipart('alternative', `${boundary}a`, bodies),
    ...attached.map(filePart),
  ]);
}

function multipart(subtype: string, boundary: string, parts: readonly Part[]): Part {
  if (parts.length === 1) return parts[0]!;
  return {
    headers: [`Content-Type: multipart/${subtype};\r\n boundary="${boundary}"`],
    body: `${parts.map((part) => `--${boundary}\r\n${serialised(part)}\r\n`).join('')}--${boundary}--`,
  };
}

function textPart(subtype: 'plain' | 'html', text: string): Part {
  const body = text.replace(/\r\n?|\n/g, '\r\n');
  const plain = fitsSevenBit(body);
  return {
    headers: [
      `Content-Type: text/${subtype}; charset=utf-8`,
      `Content-Transfer-Encoding: ${plain ? '7bit' : 'base64'}`,
    ],
    body: plain ? body : base64Lines(Buffer.from(body)),
  };
}

function filePart({ fileName, mediaType, content, contentId }: Attachment): Part {
  // Parts of these types may not be encoded (RFC 2046), and unencoded their bytes would not arrive unchanged.
  const type = /^(?:message|multipart)\//i.test(mediaType) ? 'application/octet-stream' : mediaType;
  const disposition = contentId === undefined ? 'attachment' : 'inline';
  return {
    headers: [
      `Content-Type: ${type}`,
      'Content-Transfer-Encoding: base64',
      `Content-Disposition: ${disposition};\r\n ${fileNameParameter(fileName)}`,
      ...(contentId === undefined ? [] : [`Content-ID: <${contentId}>`]),
    ],
    body: base64Lines(Buffer.from(content.buffer, content.byteOffset, content.byteLength)),
  };
}

function serialised({ headers, body }: Part): string {
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}

/** Some mail stores put a ">" before a line that starts with "From ". */
const mboxSeparator = /^From /m;

function fitsSevenBit(body: string): boolean {
  if (!/^[\t\r\n -~]*$/.test(body) || mboxSeparator.test(body)) return false;
  for (let start = 0; start < body.length;) {
    const end = body.indexOf('\r\n', start);
    if ((end < 0 ? body.length : end) - start > 998) return false;
    if (end < 0) break;
    start = end + 2;
  }
  return true;
}

/** Starts with "=_", which base64 never contains, and is none of what the texts contain. */
function boundaryFor({ messageId, text = '', html = '' }: EmailMessage): string {
  const base = `=_${messageId.replace(/[^a-z\d]/gi, '').slice(0, 40)}`;
  let boundary = base;
  for (let n = 1; text.includes(boundary) || html.includes(boundary); n++) boundary = `${base}${n}`;
  return boundary;
}
