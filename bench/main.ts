import { runAppendsBench } from './appends.js';
import { runFlatBench, runFlowBench } from './flow.js';

/** `npm run bench`, or `npm run bench -- flow` for one part; `flat` takes a quarter of an hour and is only run by name. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  appends: runAppendsBench,
  flow: runFlowBench,
  flat: runFlatBench,
};
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length === 0 ? name !== 'flat' : wanted.includes(name)) await run();
}
