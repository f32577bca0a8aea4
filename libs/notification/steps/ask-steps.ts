import { messageOf } from '#libs/kernel';
import type { Channel } from '#libs/recipient';
import { StoreUnavailable } from '#libs/store/port';
import { KeyDestroyed, type Sealed, type Vault } from '#libs/vault';
import {
  isReachable,
  type Audience,
  type ChannelConfigsAnswer,
  type ChannelOperation,
  type StepRequest,
  type Steps,
} from './ports.js';
import { judge, type StepAnswer } from './step.js';

/** What the steps answered, as far as it went. */
export interface StepAnswers {
  readonly audience: StepAnswer<Audience>;
  /** Null: there was no audience to ask it for. */
  readonly channels: ChannelConfigsAnswer | null;
  /** Of each channel that somebody can and wants to be told on. */
  readonly prepared: ReadonlyMap<Channel, StepAnswer<readonly ChannelOperation[]>>;
}

/** Asks one step after the other, as far as the table lets it go on. @throws StoreUnavailable */
export async function askSteps(steps: Steps, vault: Vault, request: StepRequest): Promise<StepAnswers> {
  const asking = new Asking(vault, request);
  const audience = await asking.ask(() => steps.audience.resolveAudience(request));
  const ofAudience = judge(audience);
  if (!ofAudience.use) return { audience, channels: null, prepared: new Map() };

  const channels = await asking.ask(async () => {
    const given = await steps.channels.resolveChannels(request, ofAudience.payload);
    return asking.withoutRepetition(given);
  });
  const ofChannels = judge(channels);
  if (!ofChannels.use) return { audience, channels, prepared: new Map() };

  const prepared = ofChannels.payload.filter(isReachable).map(async (channel) => {
    const given = await asking.ask(() => steps.prepare.prepare(request, ofAudience.payload, channel));
    return [channel.channel, given] as const;
  });
  return { audience, channels, prepared: new Map(await Promise.all(prepared)) };
}

const nothing = { payload: null, failures: [], ifFailed: 'stop' } as const;
const erased = { ...nothing, reason: 'recipientErased' } as const;

class Asking {
  constructor(
    private readonly vault: Vault,
    private readonly request: StepRequest,
  ) {}

  /** What goes wrong becomes part of the answer. */
  async ask<Answer extends StepAnswer<unknown>>(ask: () => Promise<Answer>): Promise<Answer | StepAnswer<never>> {
    try {
      return (await ask()) ?? (await this.failed('the step gave no answer'));
    } catch (error) {
      // Nobody's failure: the notification is taken up again.
      if (error instanceof StoreUnavailable || this.request.signal.aborted) throw error;
      return error instanceof KeyDestroyed ? erased : this.failed(messageOf(error));
    }
  }

  /** A channel that is named twice cannot be told apart from itself in anything that follows. */
  async withoutRepetition(given: ChannelConfigsAnswer): Promise<ChannelConfigsAnswer> {
    const names = (given?.payload ?? []).map(({ channel }) => channel);
    if (new Set(names).size === names.length) return given;
    const repeated = names.find((name, index) => names.indexOf(name) !== index);
    const failure = await this.seal(`the channel ${repeated} is named more than once`);
    return { ...given, failures: [...given.failures, failure], ifFailed: 'stop' };
  }

  private async failed(text: string): Promise<StepAnswer<never>> {
    try {
      return { ...nothing, failures: [await this.seal(text)] };
    } catch (error) {
      if (error instanceof KeyDestroyed) return erased;
      throw error;
    }
  }

  /** Under the key of the notification's own content: whatever destroys the one destroys the other. */
  private seal(text: string): Promise<Sealed> {
    return this.vault.sealWithKeyOf(this.request.operation.subject, 'error', text);
  }
}
