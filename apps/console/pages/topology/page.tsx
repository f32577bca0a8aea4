import { NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useConsumers, useStreams } from '../../api/queries.js';
import { useRates } from '../../api/rates.js';
import { Answer } from '../../parts/answer.js';
import { Page, Section } from '../../parts/page.js';
import { StreamsTable } from './streams-table.js';
import { TopologyGraph } from './topology-graph.js';

/** Drawn from what the server says its topology is, which is streams.config.ts. */
export default function TopologyPage() {
  const [subsystem, setSubsystem] = useState('');
  const streams = useStreams();
  const consumers = useConsumers();
  const counts = Object.fromEntries((streams.data?.items ?? []).map(({ category, appended }) => [category, appended]));
  const rates = useRates(counts, streams.dataUpdatedAt);
  return (
    <Page
      title="Topology"
      aside={streams.data && <span className="dimmed">store at position {streams.data.head}</span>}
    >
      <Answer to={streams}>
        {({ items }) => {
          const shown = items.filter((stream) => subsystem === '' || stream.subsystem === subsystem);
          const subsystems = [...new Set(items.map((stream) => stream.subsystem))];
          return (
            <>
              <Section
                title="Streams and handlers"
                aside={
                  <NativeSelect
                    aria-label="Subsystem"
                    size="xs"
                    value={subsystem}
                    onChange={(event) => setSubsystem(event.currentTarget.value)}
                    data={[{ value: '', label: 'all subsystems' }, ...subsystems]}
                  />
                }
              >
                <TopologyGraph key={subsystem} streams={shown} consumers={consumers.data?.items ?? []} rates={rates} />
              </Section>
              <Section title="Streams">
                <StreamsTable streams={shown} rates={rates} />
              </Section>
            </>
          );
        }}
      </Answer>
    </Page>
  );
}
