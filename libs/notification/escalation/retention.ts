import { emailEffectTypes, emailEvents } from '#libs/channel/email';
import type { RecordOf } from '#libs/kernel';
import type { StreamReader, StreamRetention } from '#libs/runtime';
import { escalationEvents, team } from './escalation.js';
import { backwards } from './recall.js';

type Readable = typeof escalationEvents | typeof emailEvents;
type Decided = Extract<RecordOf<typeof escalationEvents>, { type: 'escalation.decided.v1' }>;

const underWay: ReadonlySet<string> = new Set([emailEffectTypes.claimed, emailEffectTypes.attemptFailed]);

/**
 * The pages of a mail say which notifications it tells of: whoever carries the decision out needs them, and whoever gathers
 * failures looks there for those of operations that are handed out again. The last decision stays, since it carries the state.
 */
export const escalationRetention: StreamRetention<Readable> = {
  until: 'the mail that they are told in has ended, and so have those before it; the last decision stays',
  looksUp: [escalationEvents, emailEvents],
  async expendable(reader) {
    let last: Decided | undefined;
    for (const decided of (await decisions(reader)).reverse()) {
      if (!(await hasEnded(decided, reader))) break;
      last = decided;
    }
    return last === undefined ? [] : [{ key: team, before: last.revision, after: last.position }];
  },
};

/** The last one first; none of their pages is read. */
async function decisions(reader: StreamReader<Readable>): Promise<Decided[]> {
  const found: Decided[] = [];
  for (let next = await lastDecision(reader); next !== undefined; next = await decisionBefore(next, reader)) {
    found.push(next);
  }
  return found;
}

async function lastDecision(reader: StreamReader<Readable>): Promise<Decided | undefined> {
  for await (const record of backwards(reader)) if (record.type === 'escalation.decided.v1') return record;
  return undefined;
}

async function decisionBefore(
  { revision, data }: Decided,
  reader: StreamReader<Readable>,
): Promise<Decided | undefined> {
  const before = revision - BigInt(data.pages) - 1n;
  if (before < 0n) return undefined;
  const [record] = await reader.read(escalationEvents, team, { from: before, limit: 1 });
  return record?.type === 'escalation.decided.v1' && record.revision === before ? record : undefined;
}

async function hasEnded({ data }: Decided, reader: StreamReader<Readable>): Promise<boolean> {
  const [last] = await reader.readUnchecked(emailEvents, data.operationId, { direction: 'backwards', limit: 1 });
  // What is reported of a mail follows its outcome.
  return last !== undefined && !underWay.has(last.type);
}
