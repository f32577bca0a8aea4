import type { EventStoreDBClient } from '@eventstore/db-client';
import type { Channel } from '@grpc/grpc-js';
import { whyUndiscovered } from './discovery.js';
import type { Tuning } from './options.js';

/** The client, with a way to end it. */
export type Client = EventStoreDBClient & { close(): Promise<void> };

const keepAlive = 10_000;

/**
 * Loads the client's code, which installations on the embedded store never do, and answers what makes clients.
 *
 * `BatchAppend` is not used, though servers offer it. When its connection breaks while appends wait to be written, the
 * client rejects promises that nobody can catch, which ends the process; and it shares its table of unanswered appends
 * among all connections of the process, so that one that breaks fails the appends of the others. `Append` is one call for
 * each append, with a deadline that gRPC keeps.
 */
export async function loadClient({ connection, ca, answerWithin }: Tuning): Promise<() => Client> {
  const { EventStoreDBClient: Base } = await import('@eventstore/db-client');

  class AppendingClient extends Base {
    protected override supports = () => Promise.resolve(false);

    #undiscovered: Promise<Error> | undefined;

    /** Without a channel nothing was discovered: a single server is connected to later. */
    protected override getChannel: () => Promise<Channel> = withCause(this.getChannel, () => {
      this.#undiscovered ??= whyUndiscovered({ connection, ca });
      return this.#undiscovered;
    });

    /**
     * Others than the leader send writes on and answer reads late, and the client stays with one: where it is the only host
     * of the URL, or the cluster had no leader when it was asked. So each call says that it is for the leader, and a node
     * that is not says who is; there the client goes, until it has to connect again.
     */
    askLeader(): this {
      const { callArguments } = this;
      this.callArguments = (options, ...more) => callArguments({ ...options, requiresLeader: true }, ...more);
      return this;
    }

    async close(): Promise<void> {
      await this.dispose();
      (await this.getChannel()).close();
    }
  }

  let made = 0;
  return () => {
    const { hosts, discover, credentials, tls } = connection;
    // gRPC waits longer and longer before it connects again, up to two minutes, and all channels of the process with
    // the same options share the wait. A new client is made to connect at once, so its options have to differ.
    made += 1;
    const settings = {
      keepAliveInterval: keepAlive,
      keepAliveTimeout: keepAlive + (made % 1_000),
      defaultDeadline: answerWithin,
      throwOnAppendFailure: true,
    };
    const security = { insecure: !tls, ...(ca !== undefined && { rootCertificate: Buffer.from(ca) }) };
    const [first] = hosts;
    if (!discover) return new AppendingClient({ ...settings, endpoint: first! }, security, credentials).askLeader();
    // Tries again are ours, so that a request does not wait for ten rounds of asking.
    const cluster = { ...settings, maxDiscoverAttempts: 1, gossipTimeout: 2, nodePreference: 'leader' as const };
    const client =
      hosts.length > 1
        ? new AppendingClient({ ...cluster, endpoints: [...hosts] }, security, credentials)
        : new AppendingClient({ ...cluster, discover: first! }, security, credentials);
    return client.askLeader();
  };
}

/** What fails does so with the cause that is found out then. */
function withCause<Answer>(ask: () => Promise<Answer>, findCause: () => Promise<Error>): () => Promise<Answer> {
  return () =>
    ask().catch(async () => {
      throw await findCause();
    });
}
