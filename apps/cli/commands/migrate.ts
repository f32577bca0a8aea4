import { Progress } from '../output/remarks-of-progress.js';
import type { LocalCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';

const place = 'a data directory, an esdb:// URL, or env:NAME for what stands in the environment; required';

export const migrate: LocalCommand = {
  local: true,
  summary: 'copy all events from one store to another, and compare them; stop the servers first',
  positionals: [],
  options: {
    from: { value: '<store>', help: place },
    to: { value: '<store>', help: place },
    ca: { value: '<file>', help: 'certificates (PEM) to trust when talking to EventStoreDB' },
    'into-filled': { help: 'copy beside what the target holds; otherwise a target that holds other events is refused' },
  },
  async run({ args, output }) {
    // Only this command needs the stores.
    const { runMigration } = await import('../migrate/run.js');
    const progress = new Progress((text) => output.remark(text));
    const request = {
      from: args.required('from'),
      to: args.required('to'),
      ca: args.text('ca'),
      intoFilled: args.flag('into-filled'),
    };
    const migrated = await runMigration(request, (text) => progress.report(() => text));
    output.result(migrated, ({ from, to, records, sha256 }) => [output.details({ from, to, records, sha256 })]);
    return exitCodes.ok;
  },
};
