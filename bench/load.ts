import { connect, type Socket } from 'node:net';

/**
 * Posts notifications, a process of its own, over sockets of its own: a full HTTP client would take as much of the machine
 * as what is measured. Arguments: port, how many, how many at a time, and how many a second (0: as many as go). The
 * parent tells how many have been sent; so many more than that are posted at most.
 * Each subject is `mail <number> <process.hrtime at the request>`.
 */
const [port, total, atATime, perSecond] = process.argv.slice(2).map(Number) as [number, number, number, number];
const html = `<p>${'Your invoice is attached. '.repeat(8)}</p>`;
const mostUnsent = 2_000;
let next = 0;
let sent = 0;
const wake: (() => void)[] = [];
process.on('message', (count: number) => {
  sent = count;
  for (const go of wake.splice(0)) go();
});

function request(number: number): string {
  const body = JSON.stringify({
    recipientId: `user-${number % 100}`,
    category: 'billing',
    content: {
      subject: `mail ${number} ${process.hrtime.bigint()}`,
      text: 'Your invoice is attached.\n'.repeat(8),
      html,
    },
    tags: { invoice: String(number) },
  });
  const head = `POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

/** Reads one answer; they are short and never chunked. */
function answer(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      if (end < 0 || length === undefined || text.length < end + 4 + Number(length)) return;
      socket.off('data', read);
      if (text.startsWith('HTTP/1.1 202')) resolve();
      else reject(new Error(text));
    };
    socket.on('data', read).once('error', reject);
  });
}

async function post(socket: Socket): Promise<void> {
  const answered = answer(socket);
  socket.write(request(next++));
  await answered;
  socket.removeAllListeners('error');
}

const sockets = Array.from({ length: atATime }, () => connect({ port, host: '127.0.0.1', noDelay: true }));
if (perSecond === 0) {
  await Promise.all(
    sockets.map(async (socket) => {
      while (next < total) {
        if (next - sent >= mostUnsent) await new Promise<void>((resolve) => wake.push(resolve));
        else await post(socket);
      }
    }),
  );
} else {
  const free = [...sockets];
  const started = performance.now();
  const posts: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond));
      while (next < due && free.length > 0) {
        const socket = free.pop()!;
        posts.push(post(socket).finally(() => free.push(socket)));
      }
      if (next < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(posts);
}
for (const socket of sockets) socket.destroy();
process.disconnect();
