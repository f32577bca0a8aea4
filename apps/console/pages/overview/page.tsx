import { Link } from 'wouter';
import { useConsumers, useNotifications, useStats } from '../../api/queries.js';
import { Answer, Nothing } from '../../parts/answer.js';
import { NotificationRows } from '../../parts/notification-rows.js';
import { Page, Section } from '../../parts/page.js';
import { ConsumersTable } from './consumers-table.js';
import { OutcomesChart } from './outcomes-chart.js';
import { Tiles } from './tiles.js';

const latest = 8;

export function OverviewPage() {
  const stats = useStats();
  const consumers = useConsumers();
  const notifications = useNotifications({}, undefined, latest);
  return (
    <Page title="Overview">
      <Answer to={stats}>
        {(figures) => (
          <>
            <Tiles stats={figures} consumers={consumers.data?.items ?? []} />
            <Section title="Outcomes of the last five minutes">
              <OutcomesChart stats={figures} />
            </Section>
          </>
        )}
      </Answer>
      <Section title="Latest notifications" aside={<Link href="/notifications">All of them</Link>}>
        <Answer to={notifications}>
          {({ items }) =>
            items.length === 0 ? (
              <Nothing>
                There is none yet. <Link href="/send">Send the first</Link>
              </Nothing>
            ) : (
              <NotificationRows items={items} />
            )
          }
        </Answer>
      </Section>
      <Section title="Consumers">
        <Answer to={consumers}>
          {({ items }) => <ConsumersTable consumers={items} at={consumers.dataUpdatedAt} />}
        </Answer>
      </Section>
    </Page>
  );
}
