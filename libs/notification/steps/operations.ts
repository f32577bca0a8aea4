import type { SealedMailbox, Sender } from '#libs/channel/email';
import type { SealedContent } from '#libs/content';
import type { Sealed } from '#libs/vault';
import type { ChannelOperation, StepRequest } from './ports.js';

type Limits = Pick<StepRequest, 'date' | 'notAfter' | 'delivery'>;

/** A mail with all attachments. */
export function sendEmail(
  { date, notAfter, delivery }: Limits,
  sender: Sender,
  to: SealedMailbox[],
  content: SealedContent,
): ChannelOperation {
  return { channel: 'email', type: 'SendEmail', operation: { sender, to, content, date, notAfter, delivery } };
}

/** A Slack message without the attachments: each of them is an upload of its own. */
export function sendSlackMessage(
  { notAfter, delivery }: Limits,
  channel: Sealed,
  content: SealedContent,
): ChannelOperation {
  return { channel: 'slack', type: 'SendSlackMessage', operation: { channel, content, notAfter, delivery } };
}

/** @param attachment its index in the content */
export function uploadFileToSlack(
  { notAfter, delivery }: Limits,
  channel: Sealed,
  content: SealedContent,
  attachment: number,
): ChannelOperation {
  return {
    channel: 'slack',
    type: 'UploadFileToSlack',
    operation: { channel, content, attachment, notAfter, delivery },
  };
}
