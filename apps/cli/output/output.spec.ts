import { expect, test } from '@jest/globals';
import { Output } from './output.js';
import { percent, progressText } from './progress.js';

function outputTo(isTTY: boolean, json: boolean) {
  const written: string[] = [];
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  return { written, output: new Output(json, stream, stream) };
}

const answer = { body: {}, text: '{"done":1}\n' };

test('a bar shows how far something is', () => {
  expect(progressText('version 2', { done: 4, total: 8, rate: 12_345, error: null })).toBe(
    `version 2  ${'█'.repeat(15)}${'░'.repeat(15)}   50 %  12,345 records/s`,
  );
  expect(progressText('version 2', { done: 0, total: 8, rate: 0, error: 'no room' })).toBe(
    `version 2  ${'░'.repeat(30)}    0 %  no room`,
  );
});

test.each([
  [0, 7, 0, '0 %'],
  [29, 100, 0, '29 %'],
  [999_999, 1_000_000, 1, '99.9 %'],
  [7, 7, 1, '100.0 %'],
  [8, 7, 0, '100 %'],
  [0, 0, 0, '100 %'],
])('%d of %d is shown with %d digits as %s', (done, total, digits, text) => {
  expect(percent(done, total, digits)).toBe(text);
});

test.each([
  [true, false, ['\r\u001b[Khalf', '\nit serves\n']],
  [false, false, ['it serves\n']],
  [false, true, ['{"done":1}\n']],
])('on a terminal: %s, as JSON: %s', (isTTY, json, expected) => {
  const { written, output } = outputTo(isTTY, json);
  output.progress(answer, () => 'half');
  output.endProgress('it serves');
  expect(written).toEqual(expected);
});
