import { SmtpDouble } from '#libs/testing';
import { allParked, breakFlow, type BrokenFlow } from '../../scenario/operator/parked-records.js';
import { Api, startServer, temporaryFolder, type ServerProcess } from '../../support/index.js';
import { seed, type Seed } from './seed.js';

/** A running server with something of everything in it. */
export interface Installation {
  /** Of the console and the API, without a slash at the end. */
  readonly url: string;
  readonly api: Api;
  readonly seeded: Seed;
  /** Its records are parked. */
  readonly broken: BrokenFlow;
  remove(): Promise<void>;
}

/** @throws where the console is not built */
export async function install(): Promise<Installation> {
  const [smtp, folder] = await Promise.all([SmtpDouble.start({ security: 'plain' }), temporaryFolder()]);
  let server: ServerProcess | undefined;
  const start = async () => {
    server = await startServer(folder.path, { TIDINGS_SMTP_URL: smtp.url });
    return new Api(server.url);
  };
  const remove = async () => {
    await server?.kill();
    await smtp.close();
    await folder.remove();
  };
  try {
    const before = await start();
    if ((await before.request('GET', '/')).status !== 200) throw new Error('the console is not built: npm run build');
    const seeded = await seed(before, smtp);
    await server!.stop();
    const broken = await breakFlow(folder.path, seeded.sent);
    const api = await start();
    await allParked(api);
    return { url: api.url, api, seeded, broken, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
