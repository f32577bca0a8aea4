import { topologyDiagram, topologyRetentions, topologyTable } from '#libs/runtime';
import { topology } from '#streams.config';
import { asyncApiDocument } from './asyncapi.js';
import { settingsMarkdown } from '../settings/documentation.js';

/** The pages under docs/ that are made from the code, by file name. */
export function generatedPages(): Readonly<Record<string, string>> {
  return {
    'settings.md': settingsMarkdown(),
    'topology.md': topologyMarkdown(),
    'asyncapi.json': `${JSON.stringify(asyncApiDocument(topology), undefined, 2)}\n`,
  };
}

function topologyMarkdown(): string {
  return `# Topology

Every stream with those who write it and those who read it, as \`streams.config.ts\` declares them. Categories
\`runtime.checkpoint\`, \`runtime.retry\`, \`runtime.parked\` and \`runtime.control\` are the consumers' own bookkeeping, one
stream a consumer; \`runtime.request\` says what operators want of parked records, \`runtime.status\` how the consumers of a
process fare, \`runtime.version\` and \`runtime.rebuild\` which version of a view serves and how far a rebuild is.
A view's streams carry their version, \`notification.view.1-<id>\`; one version serves at a time. Auditors read all streams and write none ([auditing.md](auditing.md)).

\`\`\`mermaid
${topologyDiagram(topology)}
\`\`\`

${topologyTable(topology)}

All records of these streams are kept, but of these only until nobody needs them any more:

${topologyRetentions(topology)}

This page is generated. To refresh it: \`npm run docs\`.
`;
}
