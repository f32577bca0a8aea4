import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface TakenMail {
  readonly subject: string;
  /** `process.hrtime`, nanoseconds. */
  readonly at: bigint;
}

/** A running sink. */
export interface Sink {
  readonly port: number;
  close(): void;
}

/**
 * Starts the sink in a process of its own.
 * @param more `refuse`: it knows nobody called `user-…`
 */
export async function startSink(onMail?: (mail: TakenMail) => void, ...more: 'refuse'[]): Promise<Sink> {
  const program = fileURLToPath(new URL('./smtp-sink.js', import.meta.url));
  const child: ChildProcess = fork(program, [...(onMail ? ['tell'] : []), ...more]);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  child.on('message', ({ subject, at }: { subject: string; at: string }) => onMail?.({ subject, at: BigInt(at) }));
  return { port, close: () => child.disconnect() };
}
