import { useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useRoute } from 'wouter';
import { Refusal } from './api/client.js';
import { queryClient } from './api/live.js';
import { useConsumers } from './api/queries.js';
import { signOut, useSession } from './api/session.js';
import { Icon, type IconName } from './parts/icons.js';

const pages = [
  ['/', 'Overview'],
  ['/notifications', 'Notifications'],
  ['/recipients', 'Recipients'],
  ['/topology', 'Topology'],
  ['/parked', 'Parked'],
  ['/send', 'Send'],
] as const;

interface ShellProps {
  /** What leads elsewhere; left out where there is nowhere to go. */
  readonly nav?: ReactNode;
  readonly children: ReactNode;
}

/** What stands around every page. */
export function Shell({ nav, children }: ShellProps) {
  return (
    <div className="shell">
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <header className="bar">
        <Link href="/" className="brand">
          Tidings
        </Link>
        {nav ?? <span className="connection" />}
        <Scheme />
      </header>
      <main id="page" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

/** The pages, whether the server is there, and the way out. */
export function Navigation() {
  const { key } = useSession();
  return (
    <>
      <nav aria-label="Pages" className="pages">
        {pages.map(([path, title]) => (
          <PageLink key={path} path={path} title={title} />
        ))}
      </nav>
      <Connection />
      {key !== undefined && (
        <button type="button" className="scheme" onClick={leave}>
          Sign out
        </button>
      )}
    </>
  );
}

/** What was shown is not kept for whoever comes next. */
function leave(): void {
  signOut();
  queryClient.clear();
}

function PageLink({ path, title }: { readonly path: string; readonly title: string }) {
  const [isPage] = useRoute(path);
  const [isUnder] = useRoute(`${path}/*`);
  const isCurrent = isPage || (path !== '/' && isUnder);
  return (
    <Link href={path} className="page-link" aria-current={isCurrent ? 'page' : undefined}>
      {title}
      {path === '/parked' && <ParkedCount />}
    </Link>
  );
}

function ParkedCount() {
  const { data } = useConsumers();
  const parked = data?.items.reduce((sum, consumer) => sum + consumer.parked, 0) ?? 0;
  return parked === 0 ? null : <span className="count">{parked.toLocaleString('en')}</span>;
}

/** Says when what is shown is not what is. */
function Connection() {
  const { error } = useConsumers();
  const isAway = error !== null && !(error instanceof Refusal && error.status < 500);
  return (
    <span className="connection" role="status">
      {isAway && (
        <span className="chip chip-filled" data-tone="bad">
          <Icon name="warning" />
          no answer from the server
        </span>
      )}
    </span>
  );
}

const schemes: Readonly<
  Record<MantineColorScheme, { readonly icon: IconName; readonly word: string; readonly next: MantineColorScheme }>
> = {
  auto: { icon: 'screen', word: 'as the system', next: 'light' },
  light: { icon: 'sun', word: 'light', next: 'dark' },
  dark: { icon: 'moon', word: 'dark', next: 'auto' },
};

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { icon, word, next } = schemes[colorScheme];
  return (
    <button type="button" className="scheme" onClick={() => setColorScheme(next)} aria-label={`Colours: ${word}`}>
      <Icon name={icon} size={16} />
      <span className="wide-only">{word}</span>
    </button>
  );
}
