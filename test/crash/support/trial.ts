import { expect } from '@jest/globals';
import type { RecordedEvent } from '#libs/kernel';
import { SmtpDouble } from '#libs/testing';
import { Api, readStore, startServer, temporaryFolder } from '../../support/index.js';
import { CrashingServer } from './crashing-server-process.js';
import { expectNothingStuck, expectSentOnce, expectWholeStreams } from './evidence.js';
import type { KillPoint } from './killing-store.js';

/** One notification during which the server is killed. */
export interface Trial {
  /** Unique within a test. */
  readonly name: string;
  readonly point: KillPoint;
  /** What the test itself kills at, where the point is a `hold`: the answer 202, or the final reply of SMTP. */
  readonly kill?: 'answered' | 'beforeReply' | 'afterReply';
  /** When to deliver, in milliseconds from the request; at once where left out. */
  readonly deliverIn?: number;
  /** What SMTP says the first time instead of taking the mail. */
  readonly refusal?: string;
}

/** What came of it, once the server runs again. */
export interface Outcome {
  readonly name: string;
  readonly status: string;
  /** Ids that the request and its repetition were answered with. */
  readonly ids: number;
  readonly mails: number;
  readonly messageIds: number;
  /** For each attempt claimed: whether it came after one in doubt. */
  readonly claims: readonly unknown[];
  /** Attempts that the view shows. */
  readonly attempts: number | undefined;
  /** Whether it was concluded before the time it was to be delivered at. */
  readonly early: boolean;
}

const recipient = 'ada';
const lanes = 3;

/** The kill before and the one after the append that holds an event of this type. */
export function aroundAppend(type: string, more: Omit<Trial, 'name' | 'point'> = {}, nth = 1): Trial[] {
  const which = nth === 1 ? type : `${type} (${nth})`;
  return (['before', 'after'] as const).map((moment) => ({
    name: `${moment} ${which}`,
    point: { moment, type, nth },
    ...more,
  }));
}

/** Where the servers of a lane keep their events, when that is not their data directory. */
export interface Elsewhere {
  /** For the server. */
  readonly settings: Readonly<Record<string, string>>;
  /** All there are, in order. */
  records(): Promise<readonly RecordedEvent[]>;
  close(): Promise<void>;
}

/** A data directory with a server on it that is killed again and again, and SMTP. */
export class Lane {
  private readonly ids: string[] = [];

  private constructor(
    readonly smtp: SmtpDouble,
    private readonly folder: Awaited<ReturnType<typeof temporaryFolder>>,
    private running: CrashingServer,
    private readonly elsewhere: Elsewhere | undefined,
  ) {}

  static async open(elsewhere?: Elsewhere): Promise<Lane> {
    const smtp = await SmtpDouble.start({ security: 'plain' });
    const folder = await temporaryFolder();
    const server = await CrashingServer.start(folder.path, smtp.url, elsewhere?.settings);
    const lane = new Lane(smtp, folder, server, elsewhere);
    await lane.server.api.putRecipient(recipient, 'ada@example.com');
    return lane;
  }

  get server(): CrashingServer {
    return this.running;
  }

  get dataDir(): string {
    return this.folder.path;
  }

  /** Resolves when the server has died and another one is ready. */
  async restarted(): Promise<void> {
    await this.server.died;
    this.running = await CrashingServer.start(this.folder.path, this.smtp.url, this.elsewhere?.settings);
  }

  async run({ name, point, kill, deliverIn, refusal }: Trial): Promise<Outcome> {
    const { server, smtp } = this;
    const deliverAt = deliverIn === undefined ? null : new Date(Date.now() + deliverIn).toISOString();
    // The client repeats what was not answered: the idempotency key makes it one notification.
    const post = () =>
      this.server.api.notify(
        recipient,
        { content: { subject: name, text: 'How are you?' }, deliverAt },
        { 'idempotency-key': name },
      );
    if (refusal !== undefined) smtp.behave({ at: 'data', times: 1, reply: refusal });
    smtp.onReply = (moment) => {
      if (kill === `${moment}Reply`) server.kill();
    };
    await server.arm(point);
    const answered = await post().catch(() => undefined);
    if (kill === 'answered') server.kill();
    await this.restarted();

    const id = await post();
    this.ids.push(id);
    const view = await this.server.api.finalView(id);
    const events = await this.server.api.events(id);
    const mails = smtp.mails.filter(({ parsed }) => parsed.subject === name);
    return {
      name,
      status: view.status,
      ids: new Set([answered ?? id, id]).size,
      mails: mails.length,
      messageIds: new Set(mails.map(({ parsed }) => parsed.messageId)).size,
      claims: events.flatMap(({ type, data }) => (type === 'email.claimed.v1' ? [data['afterDoubt']] : [])),
      attempts: view.channels.email?.operations[0]?.attempts,
      early: deliverAt !== null && view.completedAt! < deliverAt,
    };
  }

  /** Goes on with the server as it is delivered, and checks what the kills have left in the store. */
  async finish(ids: readonly string[] = this.ids): Promise<void> {
    this.server.kill();
    await this.server.died;
    const server = await startServer(this.folder.path, {
      TIDINGS_SMTP_URL: this.smtp.url,
      ...this.elsewhere?.settings,
    });
    const api = new Api(server.url);
    const last = await api.notify(recipient);
    await api.finalView(last);
    const ready = await api.request('GET', '/health/ready');
    await server.stop();
    expect(ready.status).toBe(200);

    const records = await (this.elsewhere?.records() ?? readStore(this.folder.path));
    expectWholeStreams(records);
    for (const id of [...ids, last]) expectSentOnce(records, id);
    expectNothingStuck(records, last);
  }

  async close(): Promise<void> {
    this.server.kill();
    await this.server.died;
    await this.smtp.close();
    await this.elsewhere?.close();
    await this.folder.remove();
  }
}

/** Runs trials in some lanes at a time; answers in their order. @param elsewhere opens one for each lane */
export async function runTrials(
  trials: readonly Trial[],
  elsewhere?: () => Promise<Elsewhere>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...trials.entries()];
  const ended = await Promise.allSettled(
    Array.from({ length: Math.min(lanes, trials.length) }, async () => {
      const lane = await Lane.open(await elsewhere?.());
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          outcomes[next[0]] = await lane.run(next[1]);
        }
        await lane.finish();
      } finally {
        await lane.close();
      }
    }),
  );
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
  return outcomes;
}
