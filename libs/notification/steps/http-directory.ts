import type { Sender } from '#libs/channel/email';
import type { Contents } from '#libs/content';
import type { Sealed, Vault } from '#libs/vault';
import { AudienceAnswer, ChannelsAnswer, PrepareAnswer } from './http-directory-answers.js';
import { DirectoryClient, type DirectorySettings } from './http-directory-client.js';
import { DirectoryOperations } from './http-directory-operations.js';
import type {
  Audience,
  ChannelConfig,
  ChannelConfigsAnswer,
  ChannelOperation,
  ReachableChannel,
  StepRequest,
  Steps,
} from './ports.js';
import type { StepAnswer } from './step.js';

export interface DirectoryServices {
  readonly vault: Vault;
  readonly contents: Contents;
  /** Who mail is from. */
  readonly mailFrom: Sender;
}

/**
 * The steps as a customer's own directory answers them, over HTTP: see docs/directory.md. What it answers is sealed under
 * the key of the notification's content before anything is made of it.
 */
export function directorySteps(settings: DirectorySettings, services: DirectoryServices): Steps {
  const steps = new DirectorySteps(new DirectoryClient(settings), services);
  return { audience: steps, channels: steps, prepare: steps };
}

type Failures = Pick<AudienceAnswer, 'failures' | 'ifFailed'>;

class DirectorySteps {
  readonly source = 'directory';

  constructor(
    private readonly directory: DirectoryClient,
    private readonly services: DirectoryServices,
  ) {}

  async resolveAudience(request: StepRequest): Promise<StepAnswer<Audience>> {
    const given = await this.directory.ask('audience', questionOf(request), AudienceAnswer, request.signal);
    if (given === undefined) return { payload: null, failures: [], ifFailed: 'stop', reason: 'unknownRecipient' };
    const { audience } = given;
    if (audience == null) return this.answer<Audience>(request, given, null);
    const { displayName } = audience;
    const sealed = displayName == null ? null : await this.seal(request, 'name', displayName);
    return this.answer(request, given, { displayName: sealed });
  }

  async resolveChannels(request: StepRequest, audience: Audience): Promise<ChannelConfigsAnswer> {
    const question = { ...questionOf(request), audience: await this.services.vault.openDeep(audience) };
    const given = (await this.directory.ask('channels', question, ChannelsAnswer, request.signal)) ?? {};
    const configs = (given.channels ?? []).map(async ({ channel, to, optedOut }): Promise<ChannelConfig> => {
      const config = { channel, to: to == null ? null : await this.seal(request, 'address', to) };
      return optedOut === true ? { ...config, optedOut: 'notChosen' } : config;
    });
    return this.answer(request, given, await Promise.all(configs));
  }

  async prepare(
    request: StepRequest,
    audience: Audience,
    channel: ReachableChannel,
  ): Promise<StepAnswer<readonly ChannelOperation[]>> {
    const { vault, contents, mailFrom } = this.services;
    const content = await contents.open(request.operation.content);
    const { subject, text, html, attachments = [] } = content;
    const question = {
      ...questionOf(request),
      audience: await vault.openDeep(audience),
      channel: channel.channel,
      to: await vault.open(channel.to),
      content: {
        subject,
        text,
        html: html ?? null,
        attachments: attachments.map(({ fileName, mediaType, blob }) => ({ fileName, mediaType, size: blob.size })),
      },
    };
    const given = (await this.directory.ask('prepare', question, PrepareAnswer, request.signal)) ?? {};
    const operations = new DirectoryOperations({ vault, contents, mailFrom }, request, audience, channel, content);
    return this.answer(request, given, await operations.make(given.operations ?? []));
  }

  private async answer<Payload>(
    request: StepRequest,
    { failures, ifFailed }: Failures,
    payload: Payload | null,
  ): Promise<StepAnswer<Payload>> {
    const sealed = await Promise.all((failures ?? []).map((text) => this.seal(request, 'error', text)));
    return { payload, failures: sealed, ifFailed: ifFailed ?? 'stop' };
  }

  private seal({ operation }: StepRequest, label: string, text: string): Promise<Sealed> {
    return this.services.vault.sealWithKeyOf(operation.subject, label, text);
  }
}

function questionOf({ notificationId, operation }: StepRequest) {
  const { recipientId, category, severity, about, tags } = operation;
  return { notificationId, recipientId, category, severity, about, tags };
}
