import { setPriority } from 'node:os';
import { EventStoreDBClient, START } from '@eventstore/db-client';

/**
 * An outside client that replays the whole store again and again, a process of its own. It would be on a machine of its own:
 * here it takes what nobody else wants. Arguments: the URL. Tells its parent after each 10,000 events.
 */
setPriority(19);
const client = EventStoreDBClient.connectionString(process.argv[2]!);
process.on('disconnect', () => process.exit());
for (;;) {
  let events = 0;
  for await (const { event } of client.readAll({ fromPosition: START })) {
    if (event !== undefined && (events += 1) % 10_000 === 0) process.send?.(10_000);
  }
}
