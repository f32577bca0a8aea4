import { Agent, request } from 'node:http';

/**
 * Posts notifications, a process of its own. Arguments: the API's address, how many, how many at a time, and how many a
 * second (0: as many as go). Each subject is `mail <number> <process.hrtime at the request>`.
 */
const [url, total, atATime, perSecond] = [process.argv[2]!, ...process.argv.slice(3).map(Number)] as [
  string,
  number,
  number,
  number,
];
const agent = new Agent({ keepAlive: true, maxSockets: atATime });
const html = `<p>${'Your invoice is attached. '.repeat(8)}</p>`;
let next = 0;

function post(number: number): Promise<void> {
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
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    request(`${url}/v1/notifications`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 202) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
    })
      .on('error', reject)
      .end(body);
  });
}

async function work(): Promise<void> {
  while (next < total) await post(next++);
}

if (perSecond === 0) {
  await Promise.all(Array.from({ length: atATime }, work));
} else {
  const started = performance.now();
  const posts: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond));
      while (next < due) posts.push(post(next++));
      if (next < total) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(posts);
}
agent.destroy();
