import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import type { SealedBlobs } from '#libs/blob';
import type { StoredBlob } from '#libs/content';
import { Needs, notFound } from '#libs/http';
import { isUuid } from '#libs/kernel';
import type { StreamReader } from '#libs/runtime';
import { KeyDestroyed } from '#libs/vault';
import { emailEvents } from '../event/email-events.js';

/** Injection token of `EmailQueryServices`. */
export const EMAIL_QUERY_SERVICES = Symbol('email query services');

export interface EmailQueryServices {
  readonly client: StreamReader<typeof emailEvents>;
  readonly blobs: SealedBlobs;
}

@Controller('v1/emails')
export class EmailController {
  constructor(@Inject(EMAIL_QUERY_SERVICES) private readonly services: EmailQueryServices) {}

  /** The whole mail, as the sandbox kept it. */
  @Get(':operationId/message')
  @Needs('notifications:read')
  @Header('content-type', 'message/rfc822')
  async message(@Param('operationId') operationId: string): Promise<StreamableFile> {
    const events = isUuid(operationId) ? await this.services.client.read(emailEvents, operationId) : [];
    const sent = events.findLast(({ type }) => type === 'email.sent.v1');
    if (sent?.type !== 'email.sent.v1' || !sent.data.receipt.mime) throw notFound('the sandbox has no such mail');
    const mime = await this.read(sent.data.receipt.mime);
    if (mime === undefined) throw notFound('the mail is not kept any more: its time is over, or it was erased');
    return new StreamableFile(mime, { type: 'message/rfc822' });
  }

  private async read(mime: StoredBlob): Promise<Buffer | undefined> {
    try {
      return await this.services.blobs.get(mime);
    } catch (error) {
      if (error instanceof KeyDestroyed) return undefined;
      throw error;
    }
  }
}
