import { domainToASCII } from 'node:url';
import type { EmailMessage, Mailbox } from './email-message.js';
import { invalid } from './email-transport.js';
import { hasControlCharacters } from './mime.js';

/** The participants of a mail with addresses as they go over the wire. */
export interface Participants {
  readonly from: Mailbox;
  /** The sender of the envelope. */
  readonly returnPath: string;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  /** Everybody who gets the mail, each address once: to, cc, bcc. */
  readonly recipients: readonly string[];
}

const localPart = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const asciiDomain = /^(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const ascii = /^\p{ASCII}*$/u;
/** ASCII that no domain contains; `domainToASCII` would decode or drop some of it. */
const foreignToDomains = /(?![-.a-zA-Z\d])\p{ASCII}/u;

/** Checks everybody named in the message; throws `EmailFailure` of stage `participants`. */
export function participantsOf(message: EmailMessage): Participants {
  if (message.to.length === 0) throw invalid('participants', 'a mail needs at least one recipient in "to"');
  const from = checked('from', message.from);
  const { returnPath } = message;
  const to = message.to.map((mailbox) => checked('to', mailbox));
  const cc = (message.cc ?? []).map((mailbox) => checked('cc', mailbox));
  const bcc = (message.bcc ?? []).map((mailbox) => checked('bcc', mailbox));
  const replyTo = (message.replyTo ?? []).map((mailbox) => checked('replyTo', mailbox));
  const recipients = [...new Set([...to, ...cc, ...bcc].map(({ address }) => address))];
  return {
    from,
    returnPath: returnPath === undefined ? from.address : checked('returnPath', { address: returnPath }).address,
    to,
    cc,
    replyTo,
    recipients,
  };
}

function checked(role: string, { address, name }: Mailbox): Mailbox {
  if (name !== undefined && hasControlCharacters(name))
    throw invalid('participants', `the display name in "${role}" has control characters`);
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  const domain = address.slice(at + 1);
  if (at < 1) throw invalid('participants', `${JSON.stringify(address)} in "${role}" is not a mail address`);
  if (!ascii.test(local))
    throw invalid('participants', `${JSON.stringify(address)} in "${role}" has non-ASCII characters before the @`);
  const wireDomain = ascii.test(domain) || foreignToDomains.test(domain) ? domain : domainToASCII(domain);
  if (local.length > 64 || !localPart.test(local) || !asciiDomain.test(wireDomain))
    throw invalid('participants', `${JSON.stringify(address)} in "${role}" is not a mail address`);
  return { address: `${local}@${wireDomain}`, name };
}
