import { EventStoreDBClient } from '@eventstore/db-client';
import { startFacade, type Facade, type FacadeOptions } from '#libs/store/facade';
import type { SqliteEventStore } from '#libs/store/sqlite';
import { TemporaryStore } from '../store/index.js';

/** A real store with a facade before it and EventStoreDB's client before that. */
export class TemporaryFacade {
  readonly #clients: EventStoreDBClient[] = [];
  readonly client: EventStoreDBClient;

  private constructor(
    private readonly opened: TemporaryStore,
    readonly facade: Facade,
  ) {
    this.client = this.connect();
  }

  /** Writable, unless the options say otherwise. */
  static async open(options: Partial<FacadeOptions> = {}): Promise<TemporaryFacade> {
    const opened = await TemporaryStore.open();
    return new TemporaryFacade(opened, await startFacade(opened.store, { writable: true, ...options }));
  }

  get store(): SqliteEventStore {
    return this.opened.store;
  }

  /** A further client. Without `origin` it speaks plain text. */
  connect(origin = `esdb://127.0.0.1:${this.facade.port}`, parameters = 'tls=false'): EventStoreDBClient {
    const client = EventStoreDBClient.connectionString(`${origin}?${parameters}`);
    this.#clients.push(client);
    return client;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.dispose()));
    await this.facade.close();
    await this.opened.remove();
  }
}
