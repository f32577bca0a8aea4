import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import 'reflect-metadata';
import { topology } from '#streams.config';
import { requestedSample, sealedSample } from '#libs/testing/samples';
import { asyncApiDocument } from './asyncapi.js';

const document = asyncApiDocument(topology);

test('has a channel for every stream, and a message for every stored type', () => {
  const { channels, components } = document;
  expect(Object.keys(channels)).toEqual(topology.streams.map(({ stream }) => stream.category));
  for (const { stream } of topology.streams) {
    expect(channels[stream.category]!.address).toBe(
      `${stream.category}${stream.kind === 'view' ? '.{version}' : ''}-{key}`,
    );
    expect(Object.keys(channels[stream.category]!.messages)).toEqual(Object.keys(stream.contents));
  }
  const types = topology.streams.flatMap(({ stream }) => Object.keys(stream.contents));
  expect(Object.values(components.messages).map(({ name }) => name)).toEqual(types);
});

test('has what every handler sends and receives', () => {
  const { operations } = document;
  for (const { stream, producers } of topology.streams) {
    for (const { name } of producers) {
      expect(operations[`${name}.send.${stream.category}`]).toMatchObject({ action: 'send' });
    }
  }
  for (const { name, reads } of topology.handlers) {
    for (const { category } of reads) {
      expect(operations[`${name}.receive.${category}`]).toMatchObject({ action: 'receive' });
    }
  }
  expect(operations['email.send-bot.receive.email.operation']).toEqual({
    action: 'receive',
    channel: { $ref: '#/channels/email.operation' },
    description: 'The bot email.send-bot is handed its records.',
  });
});

test('has references that lead somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
  expect(references.length).toBeGreaterThan(0);
  const dangling = references.filter(
    (path) =>
      path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) ===
      undefined,
  );
  expect(dangling).toEqual([]);
});

test('has schemas that take what the records hold', () => {
  const ajv = new Ajv2020({ strictTypes: false, validateFormats: false, keywords: ['components'] });
  const { messages, schemas } = document.components;
  const check = (key: string) => ajv.compile({ allOf: [messages[key]!.payload as object], components: { schemas } });
  const requested = check('notification.event.notification.requested.v1');
  requested(requestedSample);
  expect(requested.errors).toBeNull();
  expect(requested({ ...requestedSample, subject: 'in clear' })).toBe(false);
  expect(requested({ ...requestedSample, sender: sealedSample('name') })).toBe(false);
  expect(check('runtime.timer.runtime.timer-scheduled.v1')({ dueAt: 7, purpose: 'x' })).toBe(true);
  expect(check('runtime.timer.runtime.timer-scheduled.v1')({ dueAt: 'soon', purpose: 'x' })).toBe(false);
});
