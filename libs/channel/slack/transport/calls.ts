import type { SlackFile, SlackMessage } from './slack-message.js';
import { SlackFailure, type SlackCall } from './slack-transport.js';

/** The call that posts a message. */
export function messageCall(message: SlackMessage): SlackCall {
  const { channel, text, mrkdwn, blocks, threadTs, linkNames, unfurlLinks, unfurlMedia } = message;
  const { iconEmoji, iconUrl, username } = message;
  return {
    method: 'chat.postMessage',
    arguments: present({
      channel,
      text,
      mrkdwn,
      blocks,
      thread_ts: threadTs,
      link_names: linkNames,
      unfurl_links: unfurlLinks,
      unfurl_media: unfurlMedia,
      icon_emoji: iconEmoji,
      icon_url: iconUrl,
      username,
    }),
  };
}

/** What a file's bytes are announced with. */
export function announceCall({ fileName, content }: SlackFile): SlackCall {
  return {
    method: 'files.getUploadURLExternal',
    arguments: { filename: fileName, length: content.byteLength },
  };
}

/** The call that shows an uploaded file in its channel. */
export function completeCall({ channel, threadTs, fileName }: SlackFile, fileId: string): SlackCall {
  return {
    method: 'files.completeUploadExternal',
    arguments: present({ files: [{ id: fileId, title: fileName }], channel_id: channel, thread_ts: threadTs }),
  };
}

/** Of channels, groups and direct messages (C, G, D) and of people (U, W); names have no capitals. */
const channelId = /^[CDGUW][A-Z0-9]+$/;

/** Throws `SlackFailure` where the file is not for a channel's id: `files.completeUploadExternal` takes no name. */
export function requireChannelId({ channel }: SlackFile): void {
  if (channelId.test(channel)) return;
  throw new SlackFailure(
    `Slack takes files for a channel's id (like C024BE91L) only, and ${JSON.stringify(channel)} is none`,
    { stage: 'participants', kind: 'permanent' },
  );
}

function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
