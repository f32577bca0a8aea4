import type { SendEmail } from '#libs/channel/email';
import { defineStream, type Decider, type MessageOf } from '#libs/kernel';
import { schemaOf } from '#libs/validation';
import { rfc3339 } from '../event/time.js';
import { EscalationDecided, FailuresGathered, type FailureSummary, type GatheredFailure } from './contents.js';
import { nextMail, type MailBefore } from './pace.js';
import { summarise } from './summary.js';

// 1. Stream: one for the team. Pages of failures, then the mail that tells them, and so on.

export const escalationEvents = defineStream('escalation', 'event', {
  'escalation.failures-gathered.v1': schemaOf(FailuresGathered),
  'escalation.decided.v1': schemaOf(EscalationDecided),
});
export type EscalationEvent = MessageOf<typeof escalationEvents>;

/** Key of the stream. */
export const team = 'team';

// 2. State. Each decision carries all of it, so that folding may start at the last one.

/** Failures that no mail tells yet. */
export interface OpenEscalation {
  readonly operationId: string;
  /** Milliseconds since the Unix epoch. */
  readonly dueAt: number;
  readonly step: number;
  readonly pages: number;
  readonly lastGatheredAt: number;
  readonly summary: FailureSummary;
}

export interface EscalationState {
  readonly open: OpenEscalation | null;
  readonly before: MailBefore | null;
  /** No internal operation beyond this position has been gathered. */
  readonly upTo: bigint;
}

// 3. Commands.

export type EscalationCommand =
  | {
      readonly type: 'gather';
      /** None of them gathered before. */
      readonly failures: readonly GatheredFailure[];
      /** Position of the last of their operations. */
      readonly upTo: bigint;
      readonly now: number;
      /** Of the mail, where these failures are its first. */
      readonly operationId: string;
      readonly pauses: readonly number[];
    }
  /** Tells what is open in that mail; nothing where another one is open. */
  | {
      readonly type: 'tell';
      readonly operationId: string;
      readonly now: number;
      /** The mail about what is open; null where nothing is. */
      readonly operation: SendEmail | null;
    };

// 4. Decisions.

export const escalation: Decider<EscalationState, EscalationCommand, EscalationEvent> = {
  initial: () => ({ open: null, before: null, upTo: -1n }),

  evolve(state, { type, data }) {
    switch (type) {
      case 'escalation.failures-gathered.v1':
        return {
          ...state,
          open: {
            operationId: data.operationId,
            dueAt: Date.parse(data.dueAt),
            step: data.step,
            pages: (state.open?.pages ?? 0) + 1,
            lastGatheredAt: Date.parse(data.at),
            summary: summarise(state.open?.summary ?? null, data.failures),
          },
          upTo: BigInt(data.upTo),
        };
      case 'escalation.decided.v1':
        return {
          open: null,
          before: { at: Date.parse(data.at), step: data.step, lastGatheredAt: Date.parse(data.lastGatheredAt) },
          upTo: BigInt(data.upTo),
        };
    }
  },

  decide({ open, before, upTo }, command) {
    if (command.type === 'gather') {
      const { failures, now, pauses } = command;
      if (failures.length === 0) return [];
      const { dueAt, step } = open ?? nextMail(pauses, before, now);
      const data: FailuresGathered = {
        operationId: open?.operationId ?? command.operationId,
        dueAt: rfc3339(dueAt),
        step,
        at: rfc3339(now),
        upTo: String(command.upTo > upTo ? command.upTo : upTo),
        failures: [...failures],
      };
      return [{ type: 'escalation.failures-gathered.v1', data }];
    }
    const { operationId, now, operation } = command;
    if (open?.operationId !== operationId || operation === null) return [];
    const { step, pages, lastGatheredAt, summary } = open;
    const data: EscalationDecided = {
      operationId,
      at: rfc3339(now),
      step,
      pages,
      upTo: String(upTo),
      lastGatheredAt: rfc3339(lastGatheredAt),
      summary,
      operation,
    };
    return [{ type: 'escalation.decided.v1', data }];
  },
};
