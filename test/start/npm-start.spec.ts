import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Api, apiOf, temporaryFolder, type Program } from '../support/index.js';
import { copyCheckout, type Checkout } from './checkout.js';

/** In milliseconds; compiling takes the most of it. */
const patience = 240_000;

let checkout: Checkout;
let data: Awaited<ReturnType<typeof temporaryFolder>>;
let running: Program | undefined;

beforeAll(async () => {
  [checkout, data] = await Promise.all([copyCheckout(), temporaryFolder()]);
}, patience);

afterEach(async () => {
  if (running === undefined || running.process.exitCode !== null) return;
  signalGroup(running, 'SIGKILL');
  await running.ended();
});

afterAll(async () => {
  await checkout?.remove();
  await data?.remove();
});

function npm(...args: string[]): Program {
  running = checkout.npm(args, { PORT: '0', TIDINGS_DATA_DIR: data.path });
  return running;
}

/** As a terminal does with Ctrl-C: the signal comes to npm and to what npm started. */
function signalGroup({ process: { pid } }: Program, signal: 'SIGINT' | 'SIGKILL'): void {
  process.kill(-pid!, signal);
}

test(
  'npm start compiles and builds, serves and drains; started again it does neither and has everything',
  async () => {
    const first = npm('start');
    const api = new Api(await apiOf(first));
    expect(first.stderr).toContain('tidings: compiling');
    expect(first.stderr).toContain('tidings: building the console');
    expect(first.stderr).not.toContain('installing');
    expect(first.stdout).toMatch(/^tidings is ready$/m);
    expect(first.stdout).toContain(`\n  data  ${data.path}\n`);
    expect(first.stdout).toMatch(/^ {2}mail +sandbox: nothing is sent/m);
    expect((await api.request('GET', '/health/ready')).status).toBe(200);
    expect((await api.request('GET', '/')).status).toBe(200);
    await api.putRecipient('ada', 'ada@example.com');
    const view = await api.finalView(await api.notify('ada'));
    expect(view.status).toBe('sent');
    first.process.kill('SIGTERM');
    expect((await first.ended()).code).toBe(0);
    expect(first.stdout).toContain('tidings: finishing what is under way');

    const second = npm('start');
    expect(await new Api(await apiOf(second)).view(view.id)).toEqual(view);
    expect(second.stderr).not.toMatch(/compiling|building/);
    signalGroup(second, 'SIGINT');
    expect((await second.ended()).code).toBe(0);
    expect(second.stdout).toContain('tidings: finishing what is under way');
  },
  patience,
);

test(
  'npx tidings is the command line',
  async () => {
    const { code, stdout, stderr } = await npm('exec', '--offline', '--', 'tidings', 'show').ended();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^tidings: <id> is missing$/m);
  },
  patience,
);

test(
  'npm run demo plays with what is compiled, and leaves nothing',
  async () => {
    const { code, stdout, stderr } = await npm('run', '--silent', 'demo', '--', '--minutes', '0.1').ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Tidings is at http:/);
  },
  patience,
);

test(
  'npm test compiles the specs and runs Jest with the arguments given',
  async () => {
    const { code, stdout, stderr } = await npm('test', '--', '--listTests').ended();
    expect(code).toBe(0);
    expect(stderr).toContain('tidings: compiling');
    expect(stdout).toMatch(/dist\/test\/start\/npm-start\.spec\.js$/m);
    expect(stdout).toMatch(/dist\/libs\/kernel\/ids\.spec\.js$/m);
  },
  patience,
);
