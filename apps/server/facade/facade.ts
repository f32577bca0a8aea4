import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { messageOf } from '#libs/kernel';
import type { EventStore } from '#libs/store/port';
import type { Settings } from '../settings/index.js';
import type { FromFacade, StartOptions, ToFacade } from './messages.js';
import { shareBeside } from './share.js';

/** In milliseconds: how often it is told how far the store goes. */
const headEvery = 20;
/** In milliseconds: how often it is told how much the server has to do. */
const shareEvery = 200;
const longestPause = 5_000;
const closingPatience = 5_000;

export interface RunningFacade {
  /** As EventStoreDB's clients take it. */
  readonly url: string;
  close(): Promise<void>;
}

/** Lets EventStoreDB's clients read the store, where the settings say so. @throws the error of a port that cannot be listened on */
export async function openFacade(
  settings: Settings,
  store: EventStore,
  log: Logger,
): Promise<RunningFacade | undefined> {
  const { facade: address, facadeCertificate: cert, facadeKey: key, facadeUser: name, facadePassword } = settings;
  if (address === undefined) return undefined;
  const hasTls = cert !== undefined && key !== undefined;
  const facade = new FacadeProcess(settings.dataDir, store, log, {
    ...address,
    ...(hasTls && { tls: { cert, key } }),
    ...(name !== undefined && facadePassword !== undefined && { users: [{ name, password: facadePassword }] }),
  });
  const port = await facade.start();
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return { url: `esdb://${host}:${port}${hasTls ? '' : '?tls=false'}`, close: () => facade.close() };
}

/** Keeps the process of the facade running: clients come back to the same port. */
class FacadeProcess {
  private child: ChildProcess | undefined;
  private told = 0n;
  private telling: readonly NodeJS.Timeout[] = [];
  private share = 1;
  private since = performance.eventLoopUtilization();
  private restarting: NodeJS.Timeout | undefined;
  private pause = 100;
  private closing = false;

  constructor(
    private readonly directory: string,
    private readonly store: EventStore,
    private readonly log: Logger,
    private options: StartOptions,
  ) {}

  /** Answers the port. */
  async start(): Promise<number> {
    this.told = await this.store.head();
    const port = await this.launch();
    this.options = { ...this.options, port };
    this.telling = [
      setInterval(() => void this.tellHead(), headEvery),
      setInterval(() => this.tellShare(), shareEvery),
    ];
    return port;
  }

  async close(): Promise<void> {
    this.closing = true;
    for (const timer of this.telling) clearInterval(timer);
    clearTimeout(this.restarting);
    const child = this.child;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    this.tell({ kind: 'close' });
    const impatience = setTimeout(() => child.kill('SIGKILL'), closingPatience);
    await ended;
    clearTimeout(impatience);
  }

  private launch(): Promise<number> {
    const program = fileURLToPath(new URL('./facade.process.js', import.meta.url));
    // The settings may hold secrets, and are not its business.
    const { PATH, NODE_OPTIONS } = process.env;
    const env = { ...(PATH && { PATH }), ...(NODE_OPTIONS && { NODE_OPTIONS }) };
    const child = fork(program, {
      execArgv: [],
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 2, 'ipc'],
    });
    this.child = child;
    const listening = new Promise<number>((resolve, reject) => {
      child.once('exit', (code, signal) => {
        this.ended(child);
        reject(new Error(`the facade ended with ${code ?? signal}`));
      });
      child.on('error', (error) => {
        // A message to a process that has just ended is no error of ours. One that cannot be started has no exit.
        if (child.pid !== undefined) return;
        this.ended(child);
        reject(new Error(`the process of the facade cannot be started: ${error.message}`));
      });
      child.on('message', (message: FromFacade) => {
        if (message.kind === 'listening') resolve(message.port);
        else if (message.kind === 'refused') {
          reject(new Error(`the facade cannot be started (TIDINGS_FACADE): ${message.error}`));
          child.kill('SIGKILL');
        } else this.log.error({ error: message.error }, 'the facade failed at a call');
      });
    });
    this.tell({ kind: 'start', directory: this.directory, head: this.told, options: this.options });
    this.tell({ kind: 'share', share: this.share });
    return listening;
  }

  private ended(child: ChildProcess): void {
    if (this.child !== child) return;
    this.child = undefined;
    if (this.closing || this.telling.length === 0) return;
    this.log.error('the process of the facade has ended; it is started again');
    this.restarting = setTimeout(() => void this.relaunch(), this.pause);
    this.pause = Math.min(this.pause * 2, longestPause);
  }

  private async relaunch(): Promise<void> {
    try {
      await this.launch();
      this.pause = 100;
    } catch (error) {
      this.log.error({ error: messageOf(error) }, 'the facade cannot be started again');
    }
  }

  private async tellHead(): Promise<void> {
    // Where the store has failed there is nothing new to tell.
    const head = await this.store.head().catch(() => this.told);
    if (head === this.told) return;
    this.told = head;
    this.tell({ kind: 'head', head });
  }

  private tellShare(): void {
    const { utilization } = performance.eventLoopUtilization(this.since);
    this.since = performance.eventLoopUtilization();
    const share = shareBeside(utilization);
    if (share === this.share) return;
    this.share = share;
    this.tell({ kind: 'share', share });
  }

  private tell(message: ToFacade): void {
    if (this.child?.connected) this.child.send(message, () => undefined);
  }
}
