import type { Contents } from '#libs/content';
import { comparableEmailAddress } from '#libs/validation';
import { KeyDestroyed, type Vault } from '#libs/vault';
import type { MailRole } from '../event/email-report.js';
import type { ReportedPlace } from '../event/email-reports.js';
import type { SendEmail } from '../operations/email-operations.js';

/** Whom a report is about. */
export interface ReportedAddress extends ReportedPlace {
  readonly address: string;
}

interface Recipients {
  readonly vault: Vault;
  readonly contents: Contents;
}

/**
 * Finds whom a report is about among those that a mail went to. A server may name an address that mail is forwarded to:
 * where the mail went to one address only, it is about that one all the same.
 * @param addresses as the report has them, the one that counts first
 * @throws KeyDestroyed – whom the mail went to was erased –, SealBroken, StoreUnavailable
 */
export async function placeOf(
  addresses: readonly [string, ...string[]],
  operation: SendEmail,
  { vault, contents }: Recipients,
): Promise<ReportedAddress> {
  const to = await Promise.all(operation.to.map(({ address }) => vault.open(address)));
  const found = findIn('to', to, addresses);
  if (found !== undefined) return found;
  const { cc = [], bcc = [] } = await copiesOf(operation, contents);
  const inCopies = findIn('cc', cc, addresses) ?? findIn('bcc', bcc, addresses);
  if (inCopies !== undefined) return inCopies;
  const isOne = to.length + cc.length + bcc.length === 1;
  return { role: isOne ? 'to' : 'unknown', index: 0, address: addresses[0] };
}

function findIn(role: MailRole, own: readonly string[], reported: readonly string[]): ReportedAddress | undefined {
  for (const address of reported.map(comparableEmailAddress)) {
    const index = own.findIndex((one) => comparableEmailAddress(one) === address);
    if (index >= 0) return { role, index, address: own[index]! };
  }
  return undefined;
}

/** None where the content is not kept any more. */
async function copiesOf({ content }: SendEmail, contents: Contents): Promise<{ cc?: string[]; bcc?: string[] }> {
  try {
    const { email } = await contents.open(content);
    const addressesOf = (mailboxes: readonly { readonly address: string }[] = []) =>
      mailboxes.map(({ address }) => address);
    return { cc: addressesOf(email?.cc), bcc: addressesOf(email?.bcc) };
  } catch (error) {
    if (error instanceof KeyDestroyed) return {};
    throw error;
  }
}
