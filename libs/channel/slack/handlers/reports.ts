import type { StoredBlob } from '#libs/content';
import { KeyDestroyed, type Sealed } from '#libs/vault';
import type { SlackFailureReport, SlackReceiptReport } from '../event/slack-events.js';
import type { SlackFailure, SlackReceipt } from '../transport/index.js';

/** Seals a text under the recipient's key. @throws KeyDestroyed */
type Seal = (label: string, text: string) => Promise<Sealed>;

/** What the sandbox keeps. */
interface Kept {
  readonly payload: StoredBlob | null;
  readonly file: StoredBlob | null;
}

/** The failure as it stands in the stream. Where the recipient was erased meanwhile, its texts are left out. */
export async function reportFailure(failure: SlackFailure, seal: Seal): Promise<SlackFailureReport> {
  const { stage, kind, code = null, httpStatus = null, doubtful, message, response } = failure;
  return {
    stage,
    kind,
    code,
    httpStatus,
    doubtful,
    message: await sealed(seal, 'error', message),
    response: response === undefined ? null : await sealed(seal, 'response', response),
  };
}

/** The receipt as it stands in the stream. */
export async function reportReceipt(
  { ts, response }: SlackReceipt,
  sandbox: boolean,
  { payload, file }: Kept,
  seal: Seal,
): Promise<SlackReceiptReport> {
  const detail = response === undefined ? null : await sealed(seal, 'response', response);
  return { sandbox, ts: ts ?? null, detail, payload, file };
}

async function sealed(seal: Seal, label: string, text: string): Promise<Sealed | null> {
  try {
    return await seal(label, text);
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}
