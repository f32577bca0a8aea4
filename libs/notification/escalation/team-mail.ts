import type { Content } from '#libs/content';
import type { FailureSummary, Tally } from './contents.js';

const mostReasonsInSubject = 5;
const mostCodes = 20;

/** What the team is told: counts and ids, nothing of what was to be said or to whom. */
export function teamMail(summary: FailureSummary): Content {
  const { count, reasons, codes, firstFailedAt, lastFailedAt, notificationIds } = summary;
  const failed = count === 1 ? '1 notification failed' : `${count} notifications failed`;
  const [first] = notificationIds;
  const period = count === 1 ? `At ${firstFailedAt}.` : `The first at ${firstFailedAt}, the last at ${lastFailedAt}.`;
  const ids = count > notificationIds.length ? `The first ${notificationIds.length} of them` : 'Their ids';
  const howTo = `To look at one: GET /v1/notifications/${first}, and GET /v1/notifications/${first}/events for all of its records.`;
  const sections: readonly [string, readonly string[]][] = [
    ['By reason', reasons.map(line)],
    ['By what the channels said', codes.slice(0, mostCodes).map(line)],
    [count === 1 ? 'Its id' : ids, notificationIds],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return {
    subject: `${failed} (${reasons.slice(0, mostReasonsInSubject).map(line).join(', ')})`,
    text: [
      `${failed}. ${period}`,
      ...shown.map(([title, lines]) => `${title}:\n${lines.map((one) => `  ${one}`).join('\n')}`),
      howTo,
    ].join('\n\n'),
    html: [
      `<p>${failed}. ${period}</p>`,
      ...shown.map(
        ([title, lines]) => `<p>${title}:</p><ul>${lines.map((one) => `<li>${escaped(one)}</li>`).join('')}</ul>`,
      ),
      `<p>${escaped(howTo)}</p>`,
    ].join('\n'),
  };
}

function line({ name, count }: Tally): string {
  return `${name} ${count}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
