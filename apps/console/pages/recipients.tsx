import { Button, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { Link, useLocation } from 'wouter';
import { useNotifications, useRecipient } from '../api/queries.js';
import { Answer, Nothing } from '../parts/answer.js';
import { Facts } from '../parts/facts.js';
import { Json } from '../parts/json.js';
import { NotificationRows } from '../parts/notification-rows.js';
import { Page, Section } from '../parts/page.js';
import { Time } from '../parts/time.js';

export function RecipientsPage() {
  const [, navigate] = useLocation();
  const [id, setId] = useState('');
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (id.trim() !== '') navigate(`/recipients/${encodeURIComponent(id.trim())}`);
  }
  return (
    <Page title="Recipients">
      <Section title="Look somebody up">
        <form className="form" role="search" onSubmit={submit}>
          <TextInput label="Recipient id" value={id} onChange={(event) => setId(event.currentTarget.value)} />
          <Button type="submit">Look up</Button>
        </form>
      </Section>
    </Page>
  );
}

export function RecipientPage({ id }: { readonly id: string }) {
  const recipient = useRecipient(id);
  const notifications = useNotifications({ recipientId: id });
  const unknown = <Nothing>Nobody is known under this id; perhaps they were erased.</Nothing>;
  return (
    <Page title={id} aside={<Link href="/recipients">Another recipient</Link>}>
      <Section title="Who they are">
        <Answer to={recipient} otherwise={{ 404: unknown }}>
          {({ displayName, locale, timeZone, channels, preferences }) => (
            <>
              <Facts
                of={{
                  Name: displayName,
                  'E-mail': channels.email?.address,
                  'Not reachable': channels.email?.undeliverable && (
                    <>
                      mail to the address came back ({channels.email.undeliverable.status}) on{' '}
                      <Time at={channels.email.undeliverable.at} />
                    </>
                  ),
                  Slack: channels.slack?.channel,
                  Language: locale,
                  'Time zone': timeZone,
                  Preferences: preferences === null ? 'none: every channel is used' : null,
                }}
              />
              {preferences !== null && <Json of={preferences} label="Preferences" />}
            </>
          )}
        </Answer>
      </Section>
      <Section title="What they were told">
        <Answer to={notifications}>
          {({ items }) => (items.length === 0 ? <Nothing>Nothing yet.</Nothing> : <NotificationRows items={items} />)}
        </Answer>
      </Section>
    </Page>
  );
}
