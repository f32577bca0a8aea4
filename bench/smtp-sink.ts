import { createServer, type Socket } from 'node:net';

/**
 * A mail server that takes everything at once and keeps nothing: a child process, so that it costs the measured process
 * nothing. Tells its parent the port, and of each mail its subject and when it was taken (`process.hrtime`, nanoseconds).
 * Arguments: `tell`, to tell of mails; `refuse`, to know nobody called `user-…`.
 */
const tellsOfMails = process.argv.includes('tell');
const knowsNoUsers = process.argv.includes('refuse');

function serve(socket: Socket): void {
  let waiting = '';
  let inData = false;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    waiting += chunk.toString('latin1');
    for (;;) {
      const end = inData ? waiting.indexOf('\r\n.\r\n') : waiting.indexOf('\r\n');
      if (end < 0) return;
      const part = waiting.slice(0, end);
      waiting = waiting.slice(end + (inData ? 5 : 2));
      if (inData) take(part);
      inData = !inData && part.toUpperCase() === 'DATA';
      socket.write(inData ? '354 go on\r\n' : replyTo(part));
    }
  });
  socket.write('220 sink ESMTP\r\n');
}

function replyTo(line: string): string {
  if (knowsNoUsers && /^RCPT TO:<user-/i.test(line)) return '550 5.1.1 no such user\r\n';
  return /^EHLO/i.test(line) ? '250-sink\r\n250 8BITMIME\r\n' : '250 ok\r\n';
}

function take(mail: string): void {
  if (!tellsOfMails) return;
  const subject = /^Subject: (.*)$/m.exec(mail)?.[1]?.trim() ?? '';
  process.send?.({ subject, at: String(process.hrtime.bigint()) });
}

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as { port: number }).port });
});
process.on('disconnect', () => process.exit());
