import { Controller, Get, Headers, Inject, Query, Res, type StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  eventStreamType,
  invalid,
  lastEventId,
  limitParameter,
  Needs,
  onlyParameters,
  OpenStreams,
  wantedMediaType,
  type RecordView,
} from '#libs/http';
import { Audit } from '../audit.js';
import { AUDIT_SERVICES, type AuditServices } from '../audit-services.js';
import { eventsOf, linesOf } from './formats.js';
import { afterParameter, auditFilter, filterParameters, type QueryParameters } from './parameters.js';

const linesType = 'application/x-ndjson';

export interface EventsPage {
  readonly items: readonly RecordView[];
  /** To be given as `after`; null where nothing more was there. */
  readonly nextCursor: string | null;
  /** Everything up to here has been looked at: `after` of whoever asks again later. */
  readonly after: string;
}

/** Every record of all streams, for auditors: as pages, as lines up to the end, or live. */
@Controller('v1/events')
export class AuditController {
  constructor(
    @Inject(Audit) private readonly audit: Audit,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
    @Inject(AUDIT_SERVICES) private readonly services: AuditServices,
  ) {}

  @Get()
  @Needs('audit:read')
  async events(
    @Query() query: QueryParameters,
    @Headers('accept') accept: string | undefined,
    @Headers('last-event-id') lastId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EventsPage | StreamableFile> {
    onlyParameters(query, ...filterParameters, 'after', 'cursor', 'limit');
    const filter = auditFilter(query, this.services.topology);
    const mediaType = wantedMediaType(accept, ['application/json', linesType, eventStreamType]);
    const asked = afterParameter(query);
    const resumed = mediaType === eventStreamType ? lastEventId(lastId) : undefined;
    const after = resumed ?? asked;
    const head = await this.audit.head();
    // Whoever has seen more than there is has read another store, and would miss what comes until then.
    if (after > head) throw beyondTheEnd(resumed === undefined ? 'after' : 'Last-Event-ID');
    if (mediaType === 'application/json') {
      void reply.header('vary', 'accept');
      const { items, position, more } = await this.audit.page(filter, after, limitParameter(query['limit']));
      return { items, nextCursor: more ? String(position) : null, after: String(position) };
    }
    if (query['limit'] !== undefined) throw invalid([{ path: 'limit', message: 'is for pages of JSON only' }]);
    return this.streams.answer(reply, mediaType, (signal) =>
      mediaType === linesType
        ? linesOf(this.audit.range(filter, after, head, signal))
        : eventsOf(this.audit.follow(filter, after, signal), after),
    );
  }
}

function beyondTheEnd(path: string) {
  return invalid([{ path, message: 'must not be beyond the last record' }]);
}
