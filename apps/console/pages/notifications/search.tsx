import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useLocation } from 'wouter';
import { pathOf } from '../../api/client.js';
import type { NotificationSearch } from '../../api/queries.js';
import { wordOf } from '../../parts/chips.js';
import { statuses, subjects, type Subject } from './search-terms.js';

const any = { value: '', label: 'any' };

export function Search({ search }: { readonly search: NotificationSearch }) {
  const [, navigate] = useLocation();
  const given = (['address', 'recipientId', 'tag'] as const).find((name) => search[name] !== '');
  const [subject, setSubject] = useState<Subject>(given ?? 'address');
  const [text, setText] = useState(given === undefined ? '' : search[given]);
  const [category, setCategory] = useState(search.category);

  function find(more: Partial<NotificationSearch> = {}): void {
    const { status, channel } = search;
    const sought = text.trim();
    if (subject === 'id' && sought !== '') navigate(`/notifications/${encodeURIComponent(sought)}`);
    else navigate(pathOf('/notifications', { [subject]: sought, category: category.trim(), status, channel, ...more }));
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    find();
  }

  return (
    <form className="form" role="search" onSubmit={submit}>
      <TextInput
        label={subjects[subject]}
        type="search"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <NativeSelect
        label="Look for"
        value={subject}
        onChange={(event) => setSubject(event.currentTarget.value as Subject)}
        data={Object.entries(subjects).map(([value, label]) => ({ value, label }))}
      />
      <TextInput label="Category" value={category} onChange={(event) => setCategory(event.currentTarget.value)} />
      <NativeSelect
        label="Status"
        value={search.status}
        onChange={(event) => find({ status: event.currentTarget.value })}
        data={[any, ...statuses.map((value) => ({ value, label: wordOf(value) }))]}
      />
      <NativeSelect
        label="Channel"
        value={search.channel}
        onChange={(event) => find({ channel: event.currentTarget.value })}
        data={[any, { value: 'email', label: 'e-mail' }, { value: 'slack', label: 'Slack' }]}
      />
      <Button type="submit">Search</Button>
    </form>
  );
}
