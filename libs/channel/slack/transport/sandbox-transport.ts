import { completeCall, messageCall, requireChannelId } from './calls.js';
import type { SlackFile, SlackMessage } from './slack-message.js';
import type { SlackReceipt, SlackTransport } from './slack-transport.js';

/** Makes the calls exactly as they would be made, hands them back in the receipt and sends nothing. */
export class SandboxSlackTransport implements SlackTransport {
  readonly sandbox = true;

  async postMessage(message: SlackMessage): Promise<SlackReceipt> {
    return { call: messageCall(message) };
  }

  async uploadFile(file: SlackFile): Promise<SlackReceipt> {
    requireChannelId(file);
    // Slack gives a file its id.
    const { method, arguments: args } = completeCall(file, 'sandbox');
    const { fileName, mediaType, content } = file;
    return { call: { method, arguments: { ...args, fileName, mediaType, size: content.byteLength } } };
  }
}
