import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Api, eventsOf } from '../../support/index.js';
import type { Told } from './crashing-server.js';
import { killPointAtStart, type KillPoint } from './killing-store.js';

const program = fileURLToPath(new URL('./crashing-server.js', import.meta.url));

/** A server that can be told where to kill itself. */
export class CrashingServer {
  /** First event type of each append since it was armed. */
  readonly appends: string[] = [];
  /** Resolves when the process has been killed. */
  readonly died: Promise<void>;

  private constructor(
    readonly api: Api,
    /** Where it takes mail that comes back; undefined where it does not. */
    readonly bouncesUrl: string | undefined,
    private readonly child: ChildProcess,
  ) {
    this.died = once(child, 'exit').then(([code, signal]) => {
      if (signal !== 'SIGKILL') throw new Error(`the server was not killed but ended with exit code ${code}`);
    });
    // Whoever waits for it hears of it.
    this.died.catch(() => {});
    child.on('message', (told: Told) => {
      if ('appending' in told) this.appends.push(told.appending);
    });
  }

  /**
   * Resolves when it is ready.
   * @param more further settings
   * @param point armed before it starts
   * @throws where it ends before that
   */
  static async start(
    dataDir: string,
    smtpUrl: string,
    more: Readonly<Record<string, string>> = {},
    point?: KillPoint,
  ): Promise<CrashingServer> {
    const elsewhere = await eventsOf(dataDir, more);
    const child = fork(program, {
      cwd: dataDir,
      env: {
        PORT: '0',
        TIDINGS_DATA_DIR: dataDir,
        TIDINGS_SMTP_URL: smtpUrl,
        TIDINGS_LOG_LEVEL: 'error',
        ...elsewhere,
        ...more,
        ...(point && { [killPointAtStart]: JSON.stringify(point) }),
      },
      execArgv: [],
    });
    const [told] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`no server, but exit code ${code}`))),
    ])) as [{ url: string; bouncesUrl?: string }];
    return new CrashingServer(new Api(told.url), told.bouncesUrl, child);
  }

  /** Resolves when the kill is certain to come at that point. */
  async arm(point: KillPoint): Promise<void> {
    const armed = once(this.child, 'message');
    this.child.send(point);
    await armed;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
