import { Link } from 'wouter';
import type { NotificationView } from '#libs/notification';
import { ChannelMark, SeverityMark, Status } from './chips.js';
import { Rows, type Column } from './rows.js';
import { Time } from './time.js';

const columns: readonly Column<NotificationView>[] = [
  { title: 'Requested', cell: ({ requestedAt }) => <Time at={requestedAt} /> },
  { title: 'Status', cell: ({ status }) => <Status of={status} /> },
  { title: 'Subject', cell: ({ id, subject }) => <Link href={`/notifications/${id}`}>{subject}</Link> },
  {
    title: 'Recipient',
    cell: ({ recipientId }) => <Link href={`/recipients/${encodeURIComponent(recipientId)}`}>{recipientId}</Link>,
  },
  { title: 'Category', cell: ({ category }) => category },
  { title: 'Severity', cell: ({ severity }) => <SeverityMark of={severity} /> },
  {
    title: 'Channels',
    cell: ({ channels }) => (
      <span className="actions">
        {Object.keys(channels).map((channel) => (
          <ChannelMark key={channel} of={channel} />
        ))}
      </span>
    ),
  },
];

export function NotificationRows({ items }: { readonly items: readonly NotificationView[] }) {
  return <Rows label="Notifications" columns={columns} items={items} keyOf={({ id }) => id} />;
}
