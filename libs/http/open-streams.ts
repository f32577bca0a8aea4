import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';

/** How long a client may take for the rest once the server drains, in milliseconds. */
const patience = 1_000;

/**
 * Answers that are written as long as there is something to say. What a client does not take is not asked for: the chunks
 * are drawn one by one, as the connection takes them.
 */
export class OpenStreams {
  private readonly open = new Set<AbortController>();
  private draining = false;

  /** How many answers are being written. */
  get size(): number {
    return this.open.size;
  }

  /**
   * @param chunks makes the answer; when the signal is aborted – the client is gone or not let in any more, or the server
   * drains – it ends soon,
   * or throws where the client must not take the answer for a complete one
   */
  answer(
    reply: FastifyReply,
    mediaType: string,
    chunks: (signal: AbortSignal) => AsyncIterable<string>,
  ): StreamableFile {
    const stopping = new AbortController();
    stopping.signal.addEventListener('abort', () => cutOff(reply), { once: true });
    // Gone already, it does not close again.
    if (this.draining || reply.raw.destroyed) stopping.abort();
    else this.keep(stopping, reply);
    void reply.headers({
      'content-type': mediaType,
      'cache-control': 'no-store',
      vary: 'accept',
      'x-accel-buffering': 'no',
    });
    return new StreamableFile(Readable.from(chunks(stopping.signal), { objectMode: false }));
  }

  private keep(stopping: AbortController, { raw, request }: FastifyReply): void {
    this.open.add(stopping);
    const stopWaiting = request.caller?.onceRevoked(() => stopping.abort());
    raw.once('close', () => {
      stopWaiting?.();
      this.open.delete(stopping);
      stopping.abort();
    });
  }

  /** Ends them all, now and from now on. */
  drain(): void {
    this.draining = true;
    for (const stopping of this.open) stopping.abort();
  }
}

/** A client that does not read would keep the server from ending. */
function cutOff({ raw }: FastifyReply): void {
  if (raw.closed) return;
  const timer = setTimeout(() => raw.destroy(), patience);
  raw.once('close', () => clearTimeout(timer));
}
