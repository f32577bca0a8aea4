import { expect, test } from '@jest/globals';
import { bookkeepingStreams } from '#libs/runtime';
import { topology } from '#streams.config';
import { positionIn } from './position-in.js';

/** Paths of the properties of that name in a JSON Schema. */
function pathsOf(schema: unknown, wanted: RegExp, path: readonly string[] = []): string[][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, ...rest } = schema as { properties?: Record<string, unknown> };
  const below = Object.entries(properties ?? {}).flatMap(([name, part]) => [
    ...(wanted.test(name) ? [[...path, name]] : []),
    ...pathsOf(part, wanted, [...path, name]),
  ]);
  return [...below, ...Object.values(rest).flatMap((part) => pathsOf(part, wanted, path))];
}

test('every position that a record may hold is known to be one', () => {
  const found = [...topology.streams.map(({ stream }) => stream), ...bookkeepingStreams].flatMap(
    ({ category, contents }) =>
      Object.entries(contents).flatMap(([type, schema]) =>
        pathsOf(schema.jsonSchema?.(), /position|upTo/i).map((path) => ({ stream: `${category}-1`, type, path })),
      ),
  );
  expect(found.length).toBeGreaterThan(0);
  for (const { stream, type, path } of found)
    expect({ stream, path: positionIn({ stream, type }) }).toEqual({ stream, path });
});

test('a record that is retried or parked is named with its position', () => {
  for (const category of ['runtime.retry', 'runtime.parked'])
    expect(positionIn({ stream: `${category}-a`, type: 'any' })).toEqual(['record', 'position']);
});
