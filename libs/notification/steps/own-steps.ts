import type { Sender } from '#libs/channel/email';
import { channels as allChannels, chooseChannels, type Channel, type RecipientState } from '#libs/recipient';
import { sendEmail, sendSlackMessage, uploadFileToSlack } from './operations.js';
import type {
  Audience,
  ChannelConfig,
  ChannelConfigsAnswer,
  ChannelOperation,
  ReachableChannel,
  StepRequest,
  Steps,
} from './ports.js';
import { answer, type SpecificReason, type StepAnswer } from './step.js';

/**
 * The steps as Tidings itself takes them, from the recipients and their preferences.
 * @param sender who mail is from
 */
export function ownSteps(sender: Sender): Steps {
  return {
    audience: {
      source: 'tidings',
      async resolveAudience(request) {
        const { state } = await request.recipient();
        return state.status === 'known' ? answer({ displayName: state.profile.displayName }) : nobody(state);
      },
    },
    channels: {
      source: 'tidings',
      async resolveChannels(request) {
        const { state } = await request.recipient();
        return state.status === 'known' ? channelsOf(request, state) : nobody(state);
      },
    },
    prepare: {
      source: 'tidings',
      prepare: (request, audience, channel) =>
        Promise.resolve(answer(operationsFor(request, sender, audience, channel))),
    },
  };
}

const reasons: Readonly<Record<Exclude<RecipientState['status'], 'known'>, SpecificReason>> = {
  unknown: 'unknownRecipient',
  erased: 'recipientErased',
  unreadable: 'recipientUnreadable',
};

type Known = Extract<RecipientState, { readonly status: 'known' }>;

function nobody(state: Exclude<RecipientState, Known>): StepAnswer<never> {
  const error = state.status === 'unreadable' ? { error: `${state.error.place} cannot be read` } : undefined;
  return { payload: null, failures: [], ifFailed: 'stop', reason: reasons[state.status], ...error };
}

/** Those with an address; where none can be used, all of them, so that it can be told why. */
function channelsOf({ operation }: StepRequest, known: Known): ChannelConfigsAnswer {
  const choice = chooseChannels(allChannels, known.profile.preferences, operation.category, operation.severity);
  const considered = choice.channels.map((one): ChannelConfig => {
    const config = configOf(one.channel, known);
    return one.use ? config : { ...config, optedOut: one.reason };
  });
  const named = considered.filter(({ to, unusable }) => to !== null || unusable !== undefined);
  const hasAddress = considered.some(({ to }) => to !== null);
  return { ...answer(hasAddress ? named : considered), preference: choice.source };
}

function configOf(channel: Channel, { profile, undeliverable }: Known): ChannelConfig {
  if (channel === 'email' && undeliverable) return { channel, to: null, unusable: 'addressBounced' };
  return { channel, to: profile.channels[channel] ?? null };
}

function operationsFor(
  request: StepRequest,
  sender: Sender,
  { displayName }: Audience,
  { channel, to }: ReachableChannel,
): readonly ChannelOperation[] {
  const { content, attachments = 0 } = request.operation;
  switch (channel) {
    case 'email':
      return [sendEmail(request, sender, [{ address: to, name: displayName }], content)];
    case 'slack':
      return [
        sendSlackMessage(request, to, content),
        ...Array.from({ length: attachments }, (_, index) => uploadFileToSlack(request, to, content, index)),
      ];
  }
}
