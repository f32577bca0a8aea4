import type { StoredBlob } from '#libs/content';
import { KeyDestroyed, type Sealed } from '#libs/vault';
import type { EmailFailureReport, EmailReceiptReport } from '../event/email-events.js';
import type { EmailFailure, EmailReceipt } from '../transport/index.js';

/** Seals a text under the recipient's key. @throws KeyDestroyed */
type Seal = (label: string, text: string) => Promise<Sealed>;

/** The failure as it stands in the stream. Where the recipient was erased meanwhile, its texts are left out. */
export async function reportFailure(failure: EmailFailure, seal: Seal): Promise<EmailFailureReport> {
  const { stage, kind, code = null, enhancedCode = null, doubtful, message, conversation } = failure;
  return {
    stage,
    kind,
    code,
    enhancedCode,
    doubtful,
    message: await sealed(seal, 'error', message),
    conversation: conversation.length > 0 ? await sealed(seal, 'conversation', JSON.stringify(conversation)) : null,
  };
}

/** The receipt as it stands in the stream. */
export async function reportReceipt(
  messageId: string,
  { bytes, accepted, rejected, response, conversation }: EmailReceipt,
  sandbox: boolean,
  mime: StoredBlob | null,
  seal: Seal,
): Promise<EmailReceiptReport> {
  const detail = JSON.stringify({ response, rejected, conversation });
  return {
    messageId,
    bytes,
    accepted: accepted.length,
    rejected: rejected.length,
    sandbox,
    mime,
    detail: await sealed(seal, 'conversation', detail),
  };
}

async function sealed(seal: Seal, label: string, text: string): Promise<Sealed | null> {
  try {
    return await seal(label, text);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}
