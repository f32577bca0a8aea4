import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import type { Content, Contents } from '#libs/content';
import { Needs, notFound, onlyParameters } from '#libs/http';
import { isUuid } from '#libs/kernel';
import { KeyDestroyed } from '#libs/vault';
import { readRequest } from '../operations/read-request.js';
import type { QueryServices } from './queries.js';

/** Injection token of `ContentServices`. */
export const CONTENT_SERVICES = Symbol('content services');

export interface ContentServices extends Pick<QueryServices, 'client'> {
  readonly contents: Contents;
}

/** What a notification says, as it was asked for. */
export interface ContentView extends Pick<Content, 'subject' | 'text'> {
  readonly html: string | null;
  /** Block Kit blocks and the like, as they were given. */
  readonly slack: Content['slack'] | null;
  readonly attachments: readonly {
    readonly fileName: string;
    readonly mediaType: string;
    /** Bytes. */
    readonly size: number;
    /** Of an image that the HTML shows as `cid:<contentId>`. */
    readonly contentId: string | null;
  }[];
}

@Controller('v1/notifications/:id/content')
export class ContentController {
  constructor(@Inject(CONTENT_SERVICES) private readonly services: ContentServices) {}

  @Get()
  @Needs('notifications:read')
  async get(@Param('id') id: string, @Query() query: Record<string, unknown>): Promise<ContentView> {
    onlyParameters(query);
    const request = isUuid(id) ? await readRequest(this.services.client, id) : undefined;
    if (request === undefined) throw notFound('there is no such notification');
    try {
      return viewOf(await this.services.contents.open(request.data.content));
    } catch (error) {
      if (error instanceof KeyDestroyed) throw notFound('it is not kept any more: its time is over, or it was erased');
      throw error;
    }
  }
}

function viewOf({ subject, text, html, slack, attachments = [] }: Content): ContentView {
  return {
    subject,
    text,
    html: html ?? null,
    slack: slack ?? null,
    attachments: attachments.map(({ fileName, mediaType, contentId, blob }) => ({
      fileName,
      mediaType,
      size: blob.size,
      contentId: contentId ?? null,
    })),
  };
}
