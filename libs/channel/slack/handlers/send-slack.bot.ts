import { keyOf } from '#libs/kernel';
import { defineBot, runEffect } from '#libs/runtime';
import { KeyDestroyed, SealBroken, type Sealed, type Vault } from '#libs/vault';
import { slackEffectTypes, slackEvents } from '../event/slack-events.js';
import { slackOperations } from '../operations/slack-operations.js';
import { makeAttempt, type AttemptServices } from './attempt.js';
import { ChannelPacer } from './channel-pacer.js';

export interface SendSlackServices extends AttemptServices {
  /** Waits between attempts, in milliseconds; the last one repeats until the operation's time is over. */
  readonly slackRetryDelays: readonly number[];
  /** Milliseconds between two messages or files for one Slack channel. */
  readonly slackInterval: number;
}

/**
 * Posts messages and uploads files: turn, claim, Slack, outcome. An operation that has to wait – for its channel's pace,
 * or for its next attempt – waits in the retry stream and holds up nothing but what follows it in its notification.
 */
export const sendSlackBot = defineBot({
  name: 'slack.send-bot',
  reads: [slackOperations],
  looksUp: [slackEvents],
  writes: [slackEvents],
  concurrency: 32,
  // A notification's message comes before its files, also when it has to wait.
  strictOrder: true,
  // A channel has one pace, whatever goes to it.
  partitioned: false,
  create: (services: SendSlackServices) => {
    const { slackTransport, slackInterval, slackRetryDelays, vault } = services;
    const pacer = new ChannelPacer(slackInterval);
    return {
      async handle(record, context) {
        const operationId = keyOf(record.stream);
        const { delivery, channel: sealedChannel } = record.data;
        const notAfter = Date.parse(record.data.notAfter);
        const channel = slackTransport.sandbox ? undefined : await openChannel(vault, sealedChannel);
        const run = () =>
          runEffect({
            context,
            stream: slackEvents,
            key: operationId,
            types: slackEffectTypes,
            notAfter,
            delivery,
            delays: slackRetryDelays,
            turn: (now) => (channel === undefined ? now : pacer.turn(channel, operationId, now, notAfter)),
            async perform(attempt) {
              const result = await makeAttempt(services, record, attempt, context.checkLease);
              if (channel !== undefined && 'retryAfter' in result && result.retryAfter !== undefined) {
                const now = context.now();
                pacer.pause(channel, operationId, now + result.retryAfter, now);
              }
              return result;
            },
          });
        // Before the claim: what only waits for its turn has not begun.
        await ('attachment' in record.data
          ? services.contents.holding(record.data.content, context.signal, run, record.data.attachment)
          : run());
      },
    };
  },
});

/** Undefined where it cannot be opened: the attempt will fail and say why. */
async function openChannel(vault: Vault, channel: Sealed): Promise<string | undefined> {
  try {
    return vault.openNow(channel) ?? (await vault.open(channel));
  } catch (error) {
    if (error instanceof KeyDestroyed || error instanceof SealBroken) return undefined;
    throw error;
  }
}
