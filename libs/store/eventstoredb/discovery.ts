import { messageOf } from '#libs/kernel';
import type { EventStoreDbConnection } from './connection.js';
import type { Tuning } from './options.js';

type Host = EventStoreDbConnection['hosts'][number];

/** Milliseconds for each host: less than what a request has left when the client has found nobody. */
const patience = 1_500;
/** Code of gRPC. */
const deadlineExceeded = 4;

/**
 * Why the client found nobody to talk to, of which it says nothing: asks each host what the client has asked.
 * Never rejects, and tells no credentials: none are sent.
 */
export async function whyUndiscovered({ connection, ca }: Pick<Tuning, 'connection' | 'ca'>): Promise<Error> {
  const reasons = await Promise.all(
    connection.hosts.map(async (host) => `${host.address}:${host.port}: ${await reasonOf(host, connection.tls, ca)}`),
  );
  return new Error(`no node of the cluster was found: ${reasons.join('; ')}`);
}

async function reasonOf({ address, port }: Host, tls: boolean, ca: string | undefined): Promise<string> {
  const { credentials, Metadata } = await import('@grpc/grpc-js');
  const { GossipClient } = (await import('@eventstore/db-client/generated/gossip_grpc_pb.js')).default;
  const { Empty } = (await import('@eventstore/db-client/generated/shared_pb.js')).default;
  try {
    const security = tls
      ? credentials.createSsl(ca === undefined ? null : Buffer.from(ca))
      : credentials.createInsecure();
    const client = new GossipClient(`${address}:${port}`, security);
    return await new Promise((resolve) => {
      client.read(new Empty(), new Metadata(), { deadline: Date.now() + patience }, (error) => {
        client.close();
        resolve(error === null ? 'it knows of no node that serves' : wordsFor(error));
      });
    });
  } catch (error) {
    return messageOf(error);
  }
}

/** @param error what the client of gRPC says, which holds what the system or OpenSSL has said */
function wordsFor({ code, details }: { readonly code: number; readonly details: string }): string {
  if (code === deadlineExceeded) return 'no answer';
  if (details.startsWith('Name resolution failed')) return 'its name was not found';
  const cause = /Last error: (?:Error: )?(.*?)\.?\s*Resolution note:/s.exec(details)?.[1]?.trim() ?? details;
  if (cause.includes('ECONNREFUSED')) return 'the connection was refused';
  return cause.includes('certificate') ? `its certificate is not trusted: ${cause}` : cause;
}
