import type { Content } from '#libs/content';
import type { SlackMessage } from '../transport/index.js';

/** What is posted for a content. */
export function messageFor(channel: string, { subject, text, slack = {} }: Content): SlackMessage {
  const { text: ownText, ...options } = slack;
  return { channel, text: ownText ?? composedText(subject, text, slack.mrkdwn ?? true), ...options };
}

function composedText(subject: string, text: string, mrkdwn: boolean): string {
  const heading = escaped(subject);
  return `${mrkdwn ? `*${heading}*` : heading}\n${escaped(text)}`;
}

/** Slack reads these three as markup, whatever else it is told. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
