import { Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

/** False until the first page was shown: then the browser itself has put the focus where it belongs. */
let hasNavigated = false;

interface PageProps {
  readonly title: string;
  /** Stands beside the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A page of the console: its title is the window's, and gets the focus, so that a screen reader says where one is. */
export function Page({ title, aside, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Tidings`;
  }, [title]);
  useEffect(() => {
    if (hasNavigated) heading.current?.focus();
    hasNavigated = true;
  }, []);
  return (
    <>
      <header className="page-head">
        <Title order={1} size="h3" ref={heading} tabIndex={-1}>
          {title}
        </Title>
        {aside}
      </header>
      {children}
    </>
  );
}

/** A part of a page, with its own heading. */
export function Section({ title, aside, children }: PageProps) {
  return (
    <section className="section" aria-label={title}>
      <div className="section-head">
        <Title order={2} size="h5">
          {title}
        </Title>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** What may be wider than the page scrolls in itself, by keyboard too. */
export function Wide({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <div className="wide" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
