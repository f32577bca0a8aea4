import { timeOfId, type RecordedEvent } from '#libs/kernel';
import type { EventFilter } from '#libs/store/port';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { invalidArgument } from './errors.js';
import { matcherOf } from './regular-expression.js';
import type { FacadeLimits } from './options.js';

type FilterOptions = ReadReq.Options.FilterOptions;

/** Some records of the whole store. */
export interface Selection {
  /** What the store can leave out by itself. */
  readonly filter?: EventFilter;
  /** The ones meant among those that the store hands out; undefined where it is all of them. */
  readonly pick?: (records: readonly RecordedEvent[]) => readonly RecordedEvent[];
  /** None of them was recorded before, in milliseconds since the Unix epoch. */
  readonly since?: number;
}

/** A client's filter on the names of streams or types, by a regular expression or else by prefixes. @throws CallFailed */
export function selectionOf(options: FilterOptions, limits: FacadeLimits): Selection {
  const byStream = options.getStreamIdentifier();
  const byType = options.getEventType();
  const expression = byStream ?? byType;
  if (expression === undefined) throw invalidArgument('the filter says neither stream nor type');
  const nameOf = (record: RecordedEvent) => (byStream === undefined ? record.type : record.stream);
  const prefixes = expression.getPrefixList();
  const regex = expression.getRegex();
  if (regex !== '' || prefixes.length === 0) {
    const matches = matcherOf(regex, { length: limits.filterLength, time: limits.filterTime });
    return {
      pick: (records) => {
        const verdicts = matches(records.map(nameOf));
        return records.filter((_, index) => verdicts[index]);
      },
    };
  }
  if (prefixes.join(' ').length > limits.filterLength) {
    throw invalidArgument(`the prefixes are longer than ${limits.filterLength} characters`);
  }
  if (byStream !== undefined) return { filter: { streamPrefixes: prefixes } };
  return {
    pick: (records) => records.filter(({ type }) => prefixes.some((prefix) => type.startsWith(prefix))),
  };
}

const timedId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** In milliseconds: by how much the clock may have been set back since an id was made. */
const clockSlack = 600_000;

/** What EventStoreDB's system projections would link to from a stream of this name; undefined for all other names. */
export function linkedSelection(stream: string): Selection | undefined {
  if (stream.startsWith('$ce-')) return { filter: { categories: [stream.slice('$ce-'.length)] } };
  if (!stream.startsWith('$bc-')) return undefined;
  const correlationId = stream.slice('$bc-'.length);
  return {
    pick: (records) => records.filter(({ metadata }) => metadata.$correlationId === correlationId),
    ...(timedId.test(correlationId) && { since: timeOfId(correlationId) - clockSlack }),
  };
}
