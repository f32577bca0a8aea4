import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { newId, Refused } from '#libs/kernel';
import { StoreUnavailable } from '#libs/store/port';
import { eventually } from '#libs/testing';
import { postfixReport } from '#libs/testing/delivery-reports';
import { MemoryKeyStore, Vault } from '#libs/vault';
import { BounceAddresses } from './bounce-addresses.js';
import { BounceIntake, type BounceAnswer } from './bounce-intake.js';
import { startBounceListener, type BounceListener } from './bounce-listener.js';

class FakeIntake extends BounceIntake {
  readonly taken: (string | undefined)[] = [];
  failure: Error | undefined;

  override takeMail(_bytes: Uint8Array, operationId?: string): Promise<BounceAnswer> {
    if (this.failure) return Promise.reject(this.failure);
    this.taken.push(operationId);
    return Promise.resolve({ operationId: operationId!, recorded: 1, repeated: 0, ignored: [] });
  }
}

const operationId = newId();
const vault = new Vault(new MemoryKeyStore());
const bounces = new BounceAddresses('bounces@mail.example.org', vault);

let intake: FakeIntake;
let errors: unknown[];
let listener: BounceListener;
beforeEach(async () => {
  intake = new FakeIntake({} as never);
  errors = [];
  listener = await startBounceListener({
    host: '127.0.0.1',
    port: 0,
    bounces,
    intake,
    onRefused: () => {},
    onError: (error) => errors.push(error),
  });
});
afterEach(() => listener.close());

/** What the listener answers, as `code text`. */
async function handOver(): Promise<string> {
  const to = await bounces.of(operationId);
  const transport = createTransport({ host: '127.0.0.1', port: listener.port, ignoreTLS: true });
  const raw = postfixReport({ to, recipient: 'ada@example.com', messageId: '<a@b.c>' });
  try {
    return (await transport.sendMail({ envelope: { from: '', to: [to] }, raw })).response;
  } catch (error) {
    return (error as { response: string }).response;
  } finally {
    transport.close();
  }
}

test('hands on what comes, with the operation that the address names', async () => {
  expect(await handOver()).toBe('250 2.0.0 on record');
  expect(intake.taken).toEqual([operationId]);
});

describe('answers so that the mail server', () => {
  test.each<[string, Error, string, boolean]>([
    [
      'comes back when the store is there again',
      new StoreUnavailable('away'),
      '451 4.3.0 it cannot be taken now',
      true,
    ],
    ['comes back after a bug is mended', new Error('canary'), '451 4.3.0 it cannot be taken now', true],
    [
      'comes back once the mail has its outcome',
      new Refused('mail-under-way', 'the mail has no outcome yet'),
      '451 4.3.2 the mail has no outcome yet',
      false,
    ],
    ['gives up what cannot be right', new Refused('mail-not-sent', 'never sent'), '554 5.7.0 never sent', false],
  ])('%s', async (_, failure, answer, isOurs) => {
    intake.failure = failure;
    expect(await handOver()).toBe(answer);
    expect(errors).toEqual(isOurs ? [failure] : []);
  });
});

test('has room for some connections, and no more', async () => {
  const sockets = Array.from({ length: 20 }, () => connect(listener.port, '127.0.0.1'));
  try {
    // Each is greeted before the next one comes.
    for (const socket of sockets) await once(socket, 'data');
    expect(await handOver()).toMatch(/^421 /);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await eventually(async () => (await handOver()).startsWith('250 '));
});
