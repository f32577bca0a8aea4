import { runAppendsBench } from './appends.js';
import { runFlowBench } from './flow.js';

/** `npm run bench`, or `npm run bench -- flow` for one part. */
const parts: Readonly<Record<string, () => Promise<unknown>>> = { appends: runAppendsBench, flow: runFlowBench };
const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await run();
