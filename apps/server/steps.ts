import { directorySteps, ownSteps, type Steps } from '#libs/notification';
import type { Tracing } from '#libs/tracing';
import type { Parts } from './parts.js';
import type { Settings } from './settings/index.js';

/** Who decides whom to tell and how: Tidings, except for the steps that a directory is asked for. */
export function createSteps(
  settings: Settings,
  { vault, contents }: Pick<Parts, 'vault' | 'contents'>,
  tracing: Tracing | undefined,
): Steps {
  const { mailFrom, directoryUrl: url, directoryToken: token, directorySteps: asked } = settings;
  const own = ownSteps(mailFrom);
  if (url === undefined) return own;
  const timeout = settings.directoryTimeoutSeconds * 1_000;
  const directory = directorySteps(
    { url, token, timeout, fetch: tracing?.calls.fetch(lastSegment) },
    { vault, contents, mailFrom },
  );
  const { audience, channels, prepare } = directory;
  return {
    audience: asked.includes('audience') ? audience : own.audience,
    channels: asked.includes('channels') ? channels : own.channels,
    prepare: asked.includes('prepare') ? prepare : own.prepare,
  };
}

/** The step that is asked for. */
function lastSegment({ pathname }: URL): string {
  return pathname.slice(pathname.lastIndexOf('/') + 1);
}
