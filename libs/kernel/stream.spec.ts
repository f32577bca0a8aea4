import { describe, expect, it } from '@jest/globals';
import { categoryOf, correlationOf, keyOf, type RecordedEvent } from './envelope.js';
import { InvalidRecord } from './errors.js';
import { declaredCategoryOf, defineStream, parse, streamName, type Schema } from './stream.js';

const text: Schema<{ readonly text: string }> = {
  problems: (data) => (typeof (data as { text?: unknown }).text === 'string' ? [] : ['text must be a string']),
};
const events = defineStream('a', 'event', { 'a.said.v1': text });

function recordOf(type: string, data: unknown): RecordedEvent {
  return {
    id: '',
    type,
    stream: 'a.event-1',
    revision: 0n,
    position: 1n,
    created: 0,
    data,
    metadata: {},
    checked: false,
  };
}

describe('streams', () => {
  it('are named by category and key', () => {
    expect(events.category).toBe('a.event');
    const views = defineStream('a', 'view', {});
    expect([views.category, streamName(views, 'one', 2)]).toEqual(['a.view', 'a.view.2-one']);
    expect(declaredCategoryOf('a.view.2-one')).toBe('a.view');
    expect(declaredCategoryOf('a.event-one')).toBe('a.event');
    expect(() => streamName(views, 'one')).toThrow('a.view: which version?');
    expect(() => streamName(events, 'one', 2)).toThrow('a.event: which version?');
    const name = streamName(events, 'one-two');
    expect([name, categoryOf(name), keyOf(name)]).toEqual(['a.event-one-two', 'a.event', 'one-two']);
    expect([categoryOf('alone'), keyOf('alone')]).toEqual(['alone', '']);
  });

  it('tell the flow of a record by its correlation id, else by its key', () => {
    const record = recordOf('a.said.v1', {});
    expect(correlationOf(record)).toBe('1');
    expect(correlationOf({ ...record, metadata: { $correlationId: 'flow' } })).toBe('flow');
  });
});

describe('parse', () => {
  it('gives a valid record back as it is', () => {
    const record = recordOf('a.said.v1', { text: 'hello' });
    expect(parse(events, record)).toBe(record);
  });

  it.each([
    ['an unknown type', recordOf('a.shouted.v1', { text: '' }), ['unknown type; a.event holds a.said.v1']],
    ['the name of an inherited property', recordOf('toString', {}), ['unknown type; a.event holds a.said.v1']],
    ['data that does not fit', recordOf('a.said.v1', { text: 1 }), ['text must be a string']],
  ])('refuses %s, with the reasons', (_, record, problems) => {
    const thrown = catching(() => parse(events, record));
    expect(thrown).toBeInstanceOf(InvalidRecord);
    expect(thrown).toMatchObject({
      code: 'invalid-record',
      stream: 'a.event-1',
      revision: 0n,
      type: record.type,
      problems,
    });
    expect((thrown as InvalidRecord).place).toBe('revision 0 of a.event-1');
  });

  it('does not check again what typed writers of this process made', () => {
    const record = recordOf('a.said.v1', { text: 1 });
    expect(() => parse(events, record)).toThrow(InvalidRecord);
    expect(parse(events, { ...record, checked: true }).data).toBe(record.data);
  });
});

function catching(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
