import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import type { SealedBlobs } from '#libs/blob';
import { notFound } from '#libs/http';
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
  @Header('content-type', 'message/rfc822')
  async message(@Param('operationId') operationId: string): Promise<StreamableFile> {
    const mime = isUuid(operationId) ? await this.read(operationId) : undefined;
    if (mime === undefined) throw notFound('the sandbox has no such mail');
    return new StreamableFile(mime, { type: 'message/rfc822' });
  }

  private async read(operationId: string): Promise<Buffer | undefined> {
    const { client, blobs } = this.services;
    const last = await client.last(emailEvents, operationId);
    if (last?.type !== 'email.sent.v1' || !last.data.receipt.mime) return undefined;
    try {
      return await blobs.get(last.data.receipt.mime);
    } catch (error) {
      if (error instanceof KeyDestroyed) return undefined;
      throw error;
    }
  }
}
