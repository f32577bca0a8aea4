import type { Logger } from 'pino';
import { KeyRing } from '#libs/access';
import type { ReadinessCheck } from '#libs/http';
import type { Settings } from './settings/index.js';

/** The API keys of this process, and what `/health/ready` says of them. */
export interface OpenedKeys {
  readonly ring: KeyRing;
  readonly check: ReadinessCheck;
}

/** Undefined where the settings name no key file. @throws KeyFileMalformed */
export async function openKeys({ apiKeysFile: file }: Settings, log: Logger): Promise<OpenedKeys | undefined> {
  if (file === undefined) return undefined;
  const ring = await KeyRing.open(file, {
    changed: (keys) => log.info({ file, keys }, 'the API keys were read anew'),
    unusable: (reason) => log.error({ file, reason }, 'the key file cannot be used; the keys before stay'),
  });
  // Up all the same: what the keys are for goes on, and no mistake in the file is to take every server away.
  const check: ReadinessCheck = {
    name: 'apiKeys',
    check: () => ({
      status: 'up',
      ...(ring.problem !== undefined && { detail: `the key file ${ring.problem}; the keys before stay` }),
    }),
  };
  return { ring, check };
}
