import { TidingsError } from '#libs/kernel';

/** Bytes of another service's answer that are read: what such a service has to say is far shorter. */
export const mostAnswerBytes = 1_048_576;

/** Another service's answer was longer than is read. */
export class AnswerTooLarge extends TidingsError {
  readonly code = 'answer-too-large';

  constructor() {
    super(`the answer is over ${mostAnswerBytes} bytes`);
  }
}

/** The body of another service's answer, as text; its connection is broken off where it is too large. @throws AnswerTooLarge */
export async function answerText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > mostAnswerBytes) throw new AnswerTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
