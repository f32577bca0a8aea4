import { Button } from '@mantine/core';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { useNotifications } from '../../api/queries.js';
import { Answer, Nothing } from '../../parts/answer.js';
import { NotificationRows } from '../../parts/notification-rows.js';
import { Page, Section } from '../../parts/page.js';
import { Search } from './search.js';
import { searchOf } from './search-terms.js';

/** The search stands in the address of the page, so that it can be kept and passed on. */
export function NotificationsPage() {
  const [parameters] = useSearchParams();
  const search = searchOf(parameters);
  return (
    <Page title="Notifications">
      <Section title="Search">
        <Search key={parameters.toString()} search={search} />
      </Section>
      <Section title="Newest first">
        <List key={parameters.toString()} search={search} />
      </Section>
    </Page>
  );
}

function List({ search }: { readonly search: ReturnType<typeof searchOf> }) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const answer = useNotifications(search, cursors.at(-1));
  return (
    <Answer to={answer}>
      {({ items, nextCursor }) => (
        <>
          {items.length === 0 ? <Nothing>There is no such notification.</Nothing> : <NotificationRows items={items} />}
          <div className="actions">
            {cursors.length > 0 && (
              <Button size="xs" variant="default" onClick={() => setCursors(cursors.slice(0, -1))}>
                Newer
              </Button>
            )}
            {nextCursor !== null && (
              <Button size="xs" variant="default" onClick={() => setCursors([...cursors, nextCursor])}>
                Older
              </Button>
            )}
          </div>
        </>
      )}
    </Answer>
  );
}
