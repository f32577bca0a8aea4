import type { SendEmail, Sender } from '#libs/channel/email';
import type { Contents } from '#libs/content';
import { deriveId, InvalidRecord, keyOf, type RecordOf } from '#libs/kernel';
import {
  defineBot,
  runtimeTimers,
  type Deferred,
  type HandlerContext,
  type Loaded,
  type StandingContext,
  type StreamReader,
} from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import type { Vault } from '#libs/vault';
import type { GatheredFailure } from '../escalation/contents.js';
import {
  escalation,
  escalationEvents,
  team,
  type EscalationCommand,
  type EscalationState,
  type OpenEscalation,
} from '../escalation/escalation.js';
import { inFlow } from '../escalation/in-flow.js';
import type { EscalationPace } from '../escalation/pace.js';
import { GatheredBefore, loadEscalation } from '../escalation/recall.js';
import { teamMail } from '../escalation/team-mail.js';
import { memberOf } from '../event/broadcast-member.js';
import type { DeliveryRules } from '../event/resolve.js';
import { rfc3339 } from '../event/time.js';
import { notificationInternalOperations } from '../operations/internal.js';

export interface EscalationServices {
  readonly vault: Vault;
  readonly contents: Contents;
  readonly deliveryRules: DeliveryRules;
  readonly escalationPace: EscalationPace;
  /** Who mail is from. */
  readonly mailFrom: Sender;
  /** Whom to tell of failures; undefined: nobody. */
  readonly teamEmail: Sender | undefined;
}

type Seen = typeof notificationInternalOperations | typeof runtimeTimers;
type Operation = Extract<RecordOf<Seen>, { type: 'notification.notify-internal-team.v1' }>;
type Known = Seen | typeof escalationEvents;
type Written = typeof escalationEvents | typeof runtimeTimers;
type Context = HandlerContext<Known, Written>;

interface Held {
  readonly record: Operation;
  readonly context: Context;
  readonly settle: (done: boolean) => void;
  readonly fail: (error: unknown) => void;
}

const duePurpose = 'notification.escalation-due';
/** Whose key seals what the team gets. */
const owner = 'team';
/** Failures in one event: some 100 KB. */
const pageSize = 500;
const mostTries = 10;

/** Gathers failures into mails to the team, and decides when one is made. */
export const escalationBot = defineBot({
  name: 'notification.escalation-bot',
  reads: [notificationInternalOperations, runtimeTimers],
  looksUp: [escalationEvents],
  writes: [escalationEvents, runtimeTimers],
  concurrency: 1,
  // The team has one stream.
  partitioned: false,
  mostDeferred: 10 * pageSize,
  create: (services: EscalationServices) => new EscalationBot(services),
});

/**
 * A failure is held in memory until its page is written; until then the checkpoint waits for it. From then on the stream
 * of the team knows of it: what it says has been gathered is not gathered again, and a timer record brings the mail.
 */
class EscalationBot {
  private held: Held[] = [];
  private gathering: NodeJS.Timeout | undefined;
  /** One thing at a time. */
  private work: Promise<void> = Promise.resolve();
  /** Read again after anything went wrong. */
  private known: Loaded<EscalationState> | undefined;
  private gathered: GatheredBefore | undefined;

  constructor(private readonly services: EscalationServices) {}

  handle = async (record: RecordOf<Seen>, context: Context): Promise<Deferred | void> => {
    if (this.services.teamEmail === undefined) return;
    if (record.type === 'notification.notify-internal-team.v1') return this.hold(record, context);
    if (record.type !== 'runtime.timer-fired.v1' || record.data.purpose !== duePurpose) return;
    await this.inTurn(async () => {
      const { open } = (await this.load(context)).state;
      if (open !== null && timerKey(open) === keyOf(record.stream)) await this.tell(open, context);
    });
  };

  /** A mail that fell due while nobody was to be told is not left to the next failure, nor one that has no timer yet. */
  async start(standing: StandingContext<Known, Written>): Promise<void> {
    if (this.services.teamEmail === undefined || standing.isPaused()) return;
    const last = await lastOf(standing);
    if (last?.type !== 'escalation.failures-gathered.v1') return;
    const context = standing.contextOf(last);
    await this.inTurn(async () => {
      const { open } = (await this.load(context)).state;
      if (open !== null) await this.tellInTime(open, context);
    });
  }

  async stop(): Promise<void> {
    this.takeUp();
    await this.work;
  }

  private hold(record: Operation, context: Context): Deferred {
    const settled = new Promise<boolean>((settle, fail) => this.held.push({ record, context, settle, fail }));
    if (this.held.length >= pageSize) this.takeUp();
    else this.gathering ??= setTimeout(() => this.takeUp(), this.services.escalationPace.gathering);
    return { settled };
  }

  private takeUp(): void {
    clearTimeout(this.gathering);
    this.gathering = undefined;
    const held = this.held.splice(0);
    if (held.length === 0) return;
    this.inTurn(() => this.gather(held)).then(
      () => held.forEach(({ settle }) => settle(true)),
      (error: unknown) => held.forEach(({ fail }) => fail(error)),
    );
  }

  private inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.work.then(task).catch((error: unknown) => {
      this.known = undefined;
      this.gathered = undefined;
      throw error;
    });
    this.work = done.catch(() => {});
    return done;
  }

  private async gather(held: readonly Held[]): Promise<void> {
    const { context } = held[0]!;
    const { pauses } = this.services.escalationPace;
    const upTo = held.reduce((most, { record: { position } }) => (position > most ? position : most), -1n);
    const { open } = await this.decide(context, async (state) => {
      const fresh = await this.newAmong(held, state, context);
      // A mail has the name of the first failure that it tells, and a failure is told in one mail only.
      const operationId = deriveId((fresh[0] ?? held[0]!).record.id, 'escalation', 0);
      const failures = fresh.map(({ record }) => failureOf(record));
      return { type: 'gather', operationId, failures, upTo, now: context.now(), pauses };
    });
    if (open !== null) await this.tellInTime(open, context);
  }

  private async newAmong(held: readonly Held[], state: EscalationState, context: Context): Promise<readonly Held[]> {
    const fresh = new Map<string, Held>();
    for (const one of held) {
      const { stream, position } = one.record;
      const notificationId = keyOf(stream);
      if (position <= state.upTo) {
        this.gathered ??= new GatheredBefore(context);
        if (await this.gathered.has(notificationId, position)) continue;
      }
      if (!fresh.has(notificationId)) fresh.set(notificationId, one);
    }
    return [...fresh.values()];
  }

  private async tellInTime(open: OpenEscalation, context: Context): Promise<void> {
    if (open.dueAt <= context.now()) await this.tell(open, context);
    else await this.remind(open, context);
  }

  private async tell({ operationId }: OpenEscalation, context: Context): Promise<void> {
    await this.decide(context, async ({ open }) => {
      const now = context.now();
      return { type: 'tell', operationId, now, operation: open && (await this.mail(open, now)) };
    });
  }

  private async mail({ operationId, summary }: OpenEscalation, now: number): Promise<SendEmail> {
    const { vault, contents, mailFrom, teamEmail, deliveryRules } = this.services;
    const { address, name } = teamEmail!;
    const to = {
      address: await vault.sealFor(owner, 'address', address),
      name: name === undefined ? null : await vault.sealFor(owner, 'name', name),
    };
    return {
      sender: mailFrom,
      to: [to],
      content: await contents.seal(owner, `${operationId}-content`, teamMail(summary)),
      date: rfc3339(now),
      notAfter: rfc3339(now + deliveryRules.window),
      delivery: deliveryRules.policy.default,
    };
  }

  /** The mail comes at its time whatever becomes of this process. */
  private async remind(open: OpenEscalation, context: Context): Promise<void> {
    const data = { dueAt: open.dueAt, purpose: duePurpose };
    const scheduled = context.write(runtimeTimers, timerKey(open), 'noStream', [
      { type: 'runtime.timer-scheduled.v1', data },
    ]);
    try {
      await context.append(inFlow(scheduled, open.operationId));
    } catch (error) {
      // An earlier failure has scheduled it.
      if (!(error instanceof WrongExpectedRevision)) throw error;
    }
  }

  /** Writes what the command comes to, deciding anew where somebody else was quicker; answers the state after it. */
  private async decide(
    context: Context,
    command: (state: EscalationState) => Promise<EscalationCommand>,
  ): Promise<EscalationState> {
    for (let tries = 1; ; tries += 1) {
      const { state, revision } = await this.load(context);
      const asked = await command(state);
      const events = escalation.decide(state, asked);
      if (events.length === 0) return state;
      const flow = state.open?.operationId ?? asked.operationId;
      try {
        // Fresh ids: what a page holds depends on when it is written, not on its cause alone.
        const append = context.write(escalationEvents, team, revision, events, 'fresh');
        const [result] = await context.append(inFlow(append, flow));
        this.known = {
          state: events.reduce((before, event) => escalation.evolve(before, event), state),
          revision: result!.revision,
        };
        this.gathered = undefined;
        return this.known.state;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision) || tries === mostTries) throw error;
        this.known = undefined;
        this.gathered = undefined;
      }
    }
  }

  private async load(context: Context): Promise<Loaded<EscalationState>> {
    this.known ??= await loadEscalation(context);
    return this.known;
  }
}

function failureOf(record: Operation): GatheredFailure {
  const member = memberOf(record);
  return { notificationId: keyOf(record.stream), ...record.data, ...(member && { member }) };
}

/** Undefined also where it cannot be read: the next failure meets the same, and is parked with the reason. */
async function lastOf(reader: StreamReader<typeof escalationEvents>) {
  try {
    return await reader.last(escalationEvents, team);
  } catch (error) {
    if (error instanceof InvalidRecord) return undefined;
    throw error;
  }
}

function timerKey({ operationId }: OpenEscalation): string {
  return `${operationId}.escalation`;
}
