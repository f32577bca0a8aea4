import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import type { SealedBlobs } from '#libs/blob';
import type { StoredBlob } from '#libs/content';
import { Needs, notFound } from '#libs/http';
import { isUuid } from '#libs/kernel';
import type { StreamReader } from '#libs/runtime';
import { KeyDestroyed } from '#libs/vault';
import { slackEvents } from '../event/slack-events.js';

/** Injection token of `SlackQueryServices`. */
export const SLACK_QUERY_SERVICES = Symbol('slack query services');

export interface SlackQueryServices {
  readonly client: StreamReader<typeof slackEvents>;
  readonly blobs: SealedBlobs;
}

@Controller('v1/slack-messages')
export class SlackController {
  constructor(@Inject(SLACK_QUERY_SERVICES) private readonly services: SlackQueryServices) {}

  /** The call that would have been made, as the sandbox kept it: its method and its arguments. */
  @Get(':operationId/message')
  @Needs('notifications:read')
  @Header('content-type', 'application/json')
  async message(@Param('operationId') operationId: string): Promise<StreamableFile> {
    const payload = await this.kept(operationId, 'payload');
    return new StreamableFile(payload, { type: 'application/json' });
  }

  /** The bytes that would have been uploaded. Their media type is the sender's word, so browsers only save them. */
  @Get(':operationId/file')
  @Needs('notifications:read')
  @Header('x-content-type-options', 'nosniff')
  async file(@Param('operationId') operationId: string): Promise<StreamableFile> {
    const file = await this.kept(operationId, 'file');
    return new StreamableFile(file, { type: 'application/octet-stream', disposition: 'attachment' });
  }

  private async kept(operationId: string, part: 'payload' | 'file'): Promise<Buffer> {
    const last = isUuid(operationId) ? await this.services.client.last(slackEvents, operationId) : undefined;
    const stored = last?.type === 'slack.sent.v1' ? last.data.receipt[part] : null;
    if (stored === null) throw notFound(`the sandbox has no such ${part === 'file' ? 'file' : 'Slack message'}`);
    const bytes = await this.read(stored);
    if (bytes === undefined) throw notFound('it is not kept any more: its time is over, or it was erased');
    return bytes;
  }

  private async read(stored: StoredBlob): Promise<Buffer | undefined> {
    try {
      return await this.services.blobs.get(stored);
    } catch (error) {
      if (error instanceof KeyDestroyed) return undefined;
      throw error;
    }
  }
}
