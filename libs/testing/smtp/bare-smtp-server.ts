import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A server that greets, and then knows no more than it is told. */
export class BareSmtpServer {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(onLine: (socket: Socket, line: string) => void) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.write('220 bare\r\n');
      let rest = '';
      socket.on('data', (chunk) => {
        const lines = (rest + chunk.toString('latin1')).split('\r\n');
        rest = lines.pop()!;
        for (const line of lines) onLine(socket, line);
      });
    });
  }

  static async start(onLine: (socket: Socket, line: string) => void): Promise<BareSmtpServer> {
    const bare = new BareSmtpServer(onLine);
    bare.server.listen(0, '127.0.0.1');
    await once(bare.server, 'listening');
    return bare;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
