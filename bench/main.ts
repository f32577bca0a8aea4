import { runAppendsBench } from './appends.js';
import { runReplayBench } from './beside-replay.js';
import { runBroadcastBench } from './broadcast.js';
import { runFacadeBench } from './facade.js';
import { runFanoutBench } from './fanout.js';
import { runFlatBench, runFlowBench } from './flow.js';
import { runListsBench } from './lists.js';
import { runOutageBench } from './outage.js';
import { runRebuildBench } from './rebuild.js';
import { runScalingBench } from './scaling.js';

/** `npm run bench`, or `npm run bench -- flow` for one part. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  appends: runAppendsBench,
  flow: runFlowBench,
  lists: runListsBench,
  flat: runFlatBench,
  broadcast: runBroadcastBench,
  outage: runOutageBench,
  rebuild: runRebuildBench,
  fanout: runFanoutBench,
  facade: runFacadeBench,
  replay: runReplayBench,
  scaling: runScalingBench,
};
/** Part of every run; the others take minutes, `flat` a quarter of an hour. */
const always: ReadonlySet<string> = new Set(['appends', 'flow', 'lists']);
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length === 0 ? always.has(name) : wanted.includes(name)) await run();
}
