import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { isUuid, messageOf, newId } from '#libs/kernel';
import type { SharingOptions } from '#libs/runtime';
import type { Settings } from './settings/index.js';

const usualPartitions = 8;

/**
 * How this process shares the store with others; undefined with the embedded store, which is its alone. Whoever had the
 * data directory before is dead, since this process has its lock: what it was doing is taken over without a wait.
 */
export function sharingOf(
  { eventStore, partitions, leaseSeconds, dataDir }: Settings,
  log: Logger,
): SharingOptions | undefined {
  if (eventStore === undefined) return undefined;
  const file = join(dataDir, 'member');
  const predecessor = readMember(file);
  const member = newId();
  writeFileSync(file, `${member}\n`);
  return {
    member,
    predecessor,
    partitions: partitions ?? usualPartitions,
    // Who leaves it out does not mean to change it.
    keepsPartitions: partitions === undefined,
    ttl: leaseSeconds * 1_000,
    log: {
      leases: (change, slots) => log[change === 'lost' ? 'warn' : 'info']({ slots }, `slots ${change}`),
      failed: (error) => log.error({ error: messageOf(error) }, 'sharing the store failed; it is tried again'),
    },
  };
}

function readMember(file: string): string | undefined {
  try {
    const id = readFileSync(file, 'utf8').trim();
    return isUuid(id) ? id : undefined;
  } catch {
    // The directory is new.
    return undefined;
  }
}
