/** How often the team gets a mail: part of the topology's configuration. All in milliseconds. */
export interface EscalationPace {
  /** Failures are taken up together for so long before the first of them is told. */
  readonly gathering: number;
  /**
   * Least time between two mails: the first one holds after the first mail, the next one after the second; the last one
   * repeats. When no failure has come for the last one, they start again.
   */
  readonly pauses: readonly number[];
}

/** The mail before. Times in milliseconds since the Unix epoch. */
export interface MailBefore {
  readonly at: number;
  /** Which of the pauses follows it. */
  readonly step: number;
  /** When the last of its failures was gathered. */
  readonly lastGatheredAt: number;
}

/** When a mail is due whose first failure comes now, and which of the pauses follows it. */
export function nextMail(
  pauses: readonly number[],
  before: MailBefore | null,
  now: number,
): { readonly dueAt: number; readonly step: number } {
  if (before === null) return { dueAt: now, step: 0 };
  const longest = pauses.length - 1;
  const isQuiet = now - before.lastGatheredAt > pauses[longest]!;
  const pause = pauses[isQuiet ? 0 : Math.min(before.step, longest)]!;
  return { dueAt: Math.max(now, before.at + pause), step: isQuiet ? 0 : Math.min(before.step + 1, longest) };
}
