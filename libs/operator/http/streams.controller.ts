import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Needs, onlyParameters } from '#libs/http';
import { isVersioned, versionCategory, type StreamKind } from '#libs/kernel';
import type { AnyHandler, StreamDeclaration } from '#libs/runtime';
import { Activity } from '../activity/activity.js';
import { rfc3339 } from '../consumers.js';
import { OPERATOR_SERVICES, type OperatorServices } from '../operator-services.js';

/** A handler at one of a stream's ends. */
export interface StreamEnd {
  readonly name: string;
  readonly role: string;
}

/** A category of streams, of a view that of the version that serves, and who is at its ends. */
export interface StreamView {
  readonly category: string;
  readonly subsystem: string;
  readonly kind: StreamKind;
  /** The types of records that stand in it. */
  readonly types: readonly string[];
  readonly producers: readonly StreamEnd[];
  /** `handed`: every record comes to it; else it only looks single streams up. */
  readonly consumers: readonly (StreamEnd & { readonly handed: boolean })[];
  /** Records since `countedSince`. */
  readonly appended: number;
  /** The last record of the category; null: there is none. */
  readonly head: { readonly position: string; readonly at: string } | null;
}

export interface TopologyView {
  readonly items: readonly StreamView[];
  /** Position of the store's last record. */
  readonly head: string;
  /** RFC 3339: when this process began to count records. */
  readonly countedSince: string;
}

/** Which streams there are, who writes and reads them, and what goes through them. */
@Controller()
export class StreamsController {
  constructor(
    @Inject(OPERATOR_SERVICES) private readonly services: OperatorServices,
    @Inject(Activity) private readonly activity: Activity,
  ) {}

  @Get('v1/streams')
  @Needs('operate')
  async list(@Query() query: Record<string, unknown>): Promise<TopologyView> {
    onlyParameters(query);
    const { topology, store } = this.services;
    return {
      items: await Promise.all(topology.streams.map((declaration) => this.view(declaration))),
      head: String(await store.head()),
      countedSince: rfc3339(this.activity.since),
    };
  }

  private async view({ stream, producers, consumers }: StreamDeclaration): Promise<StreamView> {
    const { subsystem, kind, contents } = stream;
    const category = isVersioned(stream)
      ? versionCategory(stream, this.services.versions.versionOf(stream))
      : stream.category;
    return {
      category,
      subsystem,
      kind,
      types: Object.keys(contents),
      producers: producers.map(endOf),
      consumers: consumers.map((handler) => ({
        ...endOf(handler),
        handed: handler.reads.some((one) => one.category === stream.category),
      })),
      appended: this.activity.appended(category),
      head: await this.head(category),
    };
  }

  private async head(category: string): Promise<StreamView['head']> {
    const last = { direction: 'backwards', limit: 1, filter: { categories: [category] } } as const;
    for await (const { position, created } of this.services.store.readAll(last)) {
      return { position: String(position), at: rfc3339(created) };
    }
    return null;
  }
}

function endOf({ name, role }: AnyHandler): StreamEnd {
  return { name, role };
}
