import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Link } from 'wouter';
import { ask, Refusal } from '../api/client.js';
import { Trouble } from '../parts/answer.js';
import { Page, Section } from '../parts/page.js';

const severities = ['debug', 'info', 'success', 'warning', 'error', 'critical'] as const;

const blank = {
  recipientId: 'me',
  address: '',
  category: 'test',
  severity: 'info',
  subject: 'Hello from Tidings',
  text: 'It works.',
};

type Fields = typeof blank;

interface Accepted {
  readonly id: string;
}

/** Who is known already stays as they are: the address counts for a new recipient only. */
async function send({ recipientId, address, category, severity, subject, text }: Fields): Promise<Accepted> {
  if (address !== '') await makeKnown(recipientId, address);
  const body = { recipientId, category, severity, content: { subject, text } };
  return ask<Accepted>('/v1/notifications', { method: 'POST', body });
}

async function makeKnown(recipientId: string, address: string): Promise<void> {
  const path = `/v1/recipients/${encodeURIComponent(recipientId)}`;
  try {
    await ask(path);
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 404)) throw error;
    await ask(path, { method: 'PUT', body: { channels: { email: { address } } } });
  }
}

export function SendPage() {
  const [fields, setFields] = useState(blank);
  const sending = useMutation({ mutationFn: send });
  const field = (name: keyof Fields) => ({
    value: fields[name],
    onChange: ({ currentTarget: { value } }: { readonly currentTarget: { readonly value: string } }) =>
      setFields((before) => ({ ...before, [name]: value })),
  });
  function submit(event: FormEvent): void {
    event.preventDefault();
    sending.mutate(fields);
  }
  return (
    <Page title="Send a notification">
      <Section title="To try how it goes">
        <form className="stack" onSubmit={submit}>
          <TextInput label="Recipient id" required {...field('recipientId')} />
          <TextInput
            label="E-mail address"
            description="Only for a recipient that is not known yet: they get it."
            type="email"
            {...field('address')}
          />
          <TextInput label="Category" required {...field('category')} />
          <NativeSelect label="Severity" data={severities} {...field('severity')} />
          <TextInput label="Subject" required {...field('subject')} />
          <Textarea label="Text" required autosize={false} rows={4} {...field('text')} />
          <div className="actions">
            <Button type="submit" loading={sending.isPending}>
              Send
            </Button>
            <span role="status">
              {sending.data && (
                <>
                  Accepted. <Link href={`/notifications/${sending.data.id}`}>See what becomes of it</Link>
                </>
              )}
            </span>
          </div>
          {sending.error && <Trouble error={sending.error} />}
        </form>
      </Section>
    </Page>
  );
}
