import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { emailOperations } from '#libs/channel/email';
import { newId, streamName } from '#libs/kernel';
import { openSqliteStore } from '#libs/store/sqlite';
import { startServer } from '../server/server.js';
import { readSettings } from '../server/settings/index.js';
import { MailProvider } from './mail-provider.js';
import { DemoFailed } from './options.js';
import { SlackProvider } from './slack-provider.js';

/** A server of the demonstration's own, and whom it sends through. */
export interface OwnServer {
  readonly url: string;
  readonly mail: MailProvider;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** @param port where it is to listen; another one where that is taken */
export async function startOwnServer(port: number): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-demo-'));
  const [mail, slack] = await Promise.all([MailProvider.start(), SlackProvider.start()]);
  const closeAround = async (): Promise<void> => {
    await Promise.all([mail.close(), slack.close()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await leaveUnreadableRecord(folder);
    // The folder has no .env: nothing of an installation beside this one counts.
    const reading = readSettings(
      {
        PORT: String((await isFree(port)) ? port : 0),
        TIDINGS_DATA_DIR: folder,
        TIDINGS_SMTP_URL: mail.url,
        TIDINGS_SLACK_TOKEN: slack.token,
        TIDINGS_SLACK_API_URL: slack.url,
        TIDINGS_MAIL_FROM: 'Tidings <tidings@people.example>',
        TIDINGS_TEAM_EMAIL: 'The team <team@people.example>',
      },
      [],
      folder,
    );
    if (!('settings' in reading)) throw new DemoFailed('error' in reading ? reading.error : reading.output);
    // What goes wrong here goes wrong on purpose, and the console shows it.
    const server = await startServer(reading.settings, pino({ level: 'silent' }));
    return {
      url: server.url,
      mail,
      async close() {
        await server.drain();
        await closeAround();
      },
    };
  } catch (error) {
    await closeAround();
    throw error;
  }
}

/** An operation as a later version might write it: whoever is handed it cannot read it, and parks it. */
async function leaveUnreadableRecord(directory: string): Promise<void> {
  const store = await openSqliteStore({ directory });
  const event = { id: newId(), type: 'email.send.v9', data: {}, metadata: { $correlationId: newId() } };
  await store.append(streamName(emailOperations, newId()), 'noStream', [event]);
  await store.close();
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, '127.0.0.1');
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
