import { Controller, Delete, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '#libs/access';
import { AskedBy, Needs, notFound, readStreamedBody, StreamedBody } from '#libs/http';
import { isUuid } from '#libs/kernel';
import { Uploads, type UploadServices, type UploadView } from './uploads.js';

/** Injection token of the bytes that an upload may have. */
export const UPLOAD_LIMIT = Symbol('upload limit');

/** Uploads, to be attached to notifications: decided writes, answered when they are done. */
@Controller('v1/blobs')
export class UploadController {
  constructor(
    @Inject(Uploads) private readonly uploads: Uploads,
    @Inject(UPLOAD_LIMIT) private readonly limit: UploadServices['uploadLimit'],
  ) {}

  /** Stores the body, whatever its type. */
  @Post()
  @Needs('blobs:write')
  @StreamedBody()
  async post(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<UploadView> {
    const uploads = this.uploads.by(request.caller?.name);
    const stored = await uploads.store(await readStreamedBody(request, this.limit), Date.now());
    void reply.header('location', `/v1/blobs/${stored.id}`);
    return stored;
  }

  /** What is known of it, without its content. */
  @Get(':id')
  @Needs('blobs:write')
  async get(@Param('id') id: string): Promise<UploadView> {
    const found = await this.uploads.get(id, Date.now());
    if (found === undefined) throw noSuchUpload();
    return found;
  }

  /** Notifications keep the copies that they took. Repeated, it answers the same. */
  @Delete(':id')
  @Needs('blobs:write')
  async remove(
    @Param('id') id: string,
    @AskedBy() caller: Caller | undefined,
  ): Promise<{ readonly id: string; readonly removed: true }> {
    if (!isUuid(id) || !(await this.uploads.by(caller?.name).remove(id))) throw noSuchUpload();
    return { id, removed: true };
  }
}

function noSuchUpload() {
  return notFound('there is no such blob: an upload is kept for 24 hours');
}
