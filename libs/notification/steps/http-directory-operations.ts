import type { Sender } from '#libs/channel/email';
import type { Content, Contents, SealedContent } from '#libs/content';
import type { Vault } from '#libs/vault';
import type {
  OperationDto,
  SendEmailDto,
  SendSlackMessageDto,
  UploadFileToSlackDto,
} from './http-directory-answers.js';
import { DirectoryFailed } from './http-directory-client.js';
import { sendEmail, sendSlackMessage, uploadFileToSlack } from './operations.js';
import type { Audience, ChannelOperation, ReachableChannel, StepRequest } from './ports.js';

interface Services {
  readonly vault: Vault;
  readonly contents: Contents;
  readonly mailFrom: Sender;
}

/** Makes operations of what a directory has prepared; what it leaves out is the notification's own. */
export class DirectoryOperations {
  constructor(
    private readonly services: Services,
    private readonly request: StepRequest,
    private readonly audience: Audience,
    private readonly channel: ReachableChannel,
    private readonly content: Content,
  ) {}

  /** @throws DirectoryFailed where they do not fit the channel or the notification */
  async make(given: readonly OperationDto[]): Promise<readonly ChannelOperation[]> {
    const { channel } = this.channel;
    const made = given.map(async (one, index) => {
      if (channel === 'email' && one.type === 'SendEmail') return this.email(one, index);
      if (channel === 'slack' && one.type === 'SendSlackMessage') return this.slackMessage(one, index);
      if (channel === 'slack' && one.type === 'UploadFileToSlack') return this.slackUpload(one);
      throw new DirectoryFailed(`the directory prepared ${one.type} for the channel ${channel}`, false);
    });
    return Promise.all(made);
  }

  private async email({ to, content }: SendEmailDto, index: number): Promise<ChannelOperation> {
    const { mailFrom } = this.services;
    const mailbox = { address: await this.address(to), name: this.audience.displayName };
    if (content == null) return sendEmail(this.request, mailFrom, [mailbox], this.request.operation.content);
    const { subject, text, html } = content;
    const { email, attachments } = this.content;
    const sealed = await this.seal(index, {
      subject,
      text,
      ...(html != null && { html }),
      ...(email && { email }),
      // Only HTML shows an image inline.
      ...(attachments && { attachments: html == null ? attachments.map(notInline) : attachments }),
    });
    return sendEmail(this.request, mailFrom, [mailbox], sealed);
  }

  private async slackMessage({ to, content }: SendSlackMessageDto, index: number): Promise<ChannelOperation> {
    const channel = await this.address(to);
    if (content == null) return sendSlackMessage(this.request, channel, this.request.operation.content);
    const { text, mrkdwn, blocks } = content;
    const { blocks: _blocks, mrkdwn: _mrkdwn, ...options } = this.content.slack ?? {};
    const slack = { ...options, text, ...(mrkdwn != null && { mrkdwn }), ...(blocks != null && { blocks }) };
    const { subject } = this.content;
    return sendSlackMessage(this.request, channel, await this.seal(index, { subject, text, slack }));
  }

  private async slackUpload({ to, attachment }: UploadFileToSlackDto): Promise<ChannelOperation> {
    if (attachment >= (this.content.attachments ?? []).length) {
      throw new DirectoryFailed(`the directory prepared attachment ${attachment}, and there is none`, false);
    }
    return uploadFileToSlack(this.request, await this.address(to), this.request.operation.content, attachment);
  }

  private async address(given: string | null | undefined) {
    const { vault } = this.services;
    return given == null ? this.channel.to : vault.sealWithKeyOf(this.request.operation.subject, 'address', given);
  }

  private seal(index: number, content: Content): Promise<SealedContent> {
    const { notificationId, operation } = this.request;
    const blobId = `${notificationId}-prepared-${this.channel.channel}-${index}`;
    return this.services.contents.sealWithKeyOf(operation.subject, blobId, content);
  }
}

function notInline<Attachment extends { readonly contentId?: string }>({ contentId: _, ...rest }: Attachment) {
  return rest;
}
