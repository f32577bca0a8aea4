import { compose } from './compose.js';
import type { EmailMessage } from './email-message.js';
import type { EmailReceipt, EmailTransport } from './email-transport.js';

/** Composes mails exactly as they would be sent, hands them back in the receipt and sends nothing. */
export class SandboxTransport implements EmailTransport {
  readonly sandbox = true;

  async send(message: EmailMessage): Promise<EmailReceipt> {
    const { recipients, mime } = compose(message);
    return {
      accepted: recipients,
      rejected: [],
      response: '250 kept in the sandbox, not sent',
      conversation: [],
      bytes: mime.length,
      mime,
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
