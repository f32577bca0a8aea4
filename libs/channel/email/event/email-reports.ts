import { Refused, type Decider, type MessageOf } from '#libs/kernel';
import { emailEffectTypes, type emailEvents } from './email-events.js';
import type { EmailReport } from './email-report.js';

/** Stored type names of what is reported of a mail that was taken. */
export const reportTypes = { bounced: 'email.bounced.v1', delayed: 'email.delayed.v1' } as const;
export type ReportKind = keyof typeof reportTypes;

/** Code of the refusal that a later report of the same does not get. */
export const mailUnderWay = 'mail-under-way';

/** Whom a report is about, within one mail. */
export type ReportedPlace = Pick<EmailReport, 'role' | 'index'>;

/** What has become of a mail, as far as it matters for what is reported of it. */
export interface EmailReportsState {
  /** Attempts claimed. */
  readonly attempts: number;
  /** It was sent, or given up. */
  readonly settled: boolean;
  /** Names of what is on record, see `reportName`. */
  readonly reported: ReadonlySet<string>;
}

export interface ReportCommand {
  readonly type: 'report';
  readonly kind: ReportKind;
  readonly report: Omit<EmailReport, 'attempt'>;
}

/** The same for every report of one kind about one address of one mail. */
export function reportName(kind: ReportKind, { role, index }: ReportedPlace): string {
  return `${kind}:${role}:${index}`;
}

/** One event of each kind for each address, after the outcome of the mail: reports come as often as servers like. */
export const emailReports: Decider<EmailReportsState, ReportCommand, MessageOf<typeof emailEvents>> = {
  initial: () => ({ attempts: 0, settled: false, reported: new Set() }),

  evolve(state, { type, data }) {
    switch (type) {
      case emailEffectTypes.claimed:
        return { ...state, attempts: data.attempt };
      case emailEffectTypes.attemptFailed:
        return state;
      case emailEffectTypes.succeeded:
      case emailEffectTypes.failed:
        return { ...state, settled: true };
      case reportTypes.bounced:
        return withReport(state, 'bounced', data);
      case reportTypes.delayed:
        return withReport(state, 'delayed', data);
    }
  },

  decide({ attempts, settled, reported }, { kind, report }) {
    if (reported.has(reportName(kind, report))) return [];
    if (!settled) throw new Refused(mailUnderWay, 'the mail has no outcome yet: report it again later');
    if (attempts === 0) throw new Refused('mail-not-sent', 'the mail was given up before anything was sent');
    return [{ type: reportTypes[kind], data: { attempt: attempts, ...report } }];
  },
};

function withReport(state: EmailReportsState, kind: ReportKind, report: EmailReport): EmailReportsState {
  return { ...state, reported: new Set(state.reported).add(reportName(kind, report)) };
}
