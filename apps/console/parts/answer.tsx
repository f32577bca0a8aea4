import { Alert, Button, Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Refusal } from '../api/client.js';

interface AnswerProps<Body> {
  readonly to: UseQueryResult<Body>;
  /** In place of a problem with this status. */
  readonly otherwise?: Readonly<Record<number, ReactNode>>;
  readonly children: (body: Body) => ReactNode;
}

/** What was answered, or why it was not. What was answered before stays while the server is away. */
export function Answer<Body>({ to: { data, error, isPending, refetch }, otherwise, children }: AnswerProps<Body>) {
  if (error instanceof Refusal && otherwise?.[error.status] !== undefined) return otherwise[error.status];
  if (error instanceof Refusal && error.missingScope !== undefined) return <MissingScope scope={error.missingScope} />;
  if (error !== null && (data === undefined || error instanceof Refusal)) {
    return <Trouble error={error} again={() => void refetch()} />;
  }
  if (isPending) return <Skeleton height={96} aria-label="Loading" role="status" />;
  return data === undefined ? null : children(data);
}

/** The key does not open what stands here. */
export function MissingScope({ scope }: { readonly scope: string }) {
  return (
    <Nothing>
      Your API key does not show this: it needs the scope <code>{scope}</code>.
    </Nothing>
  );
}

/** What went wrong, in words. */
export function Trouble({ error, again }: { readonly error: Error; readonly again?: () => void }) {
  return (
    <Alert color="red" variant="outline" title={titleOf(error)} role="alert">
      <p className="alert-text">{textOf(error)}</p>
      {again && (
        <Button size="xs" variant="default" onClick={again}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

function titleOf(error: Error): string {
  if (!(error instanceof Refusal)) return 'The server does not answer';
  return error.problem.title ?? `The server answered ${error.status}`;
}

function textOf(error: Error): string {
  if (!(error instanceof Refusal)) return 'Is it running? The page goes on by itself once it is.';
  const fields = error.problem.errors?.map(({ path, message }) => `${path || 'body'} ${message}`);
  return fields?.join('; ') ?? error.message;
}

/** There is nothing, and why that is fine. */
export function Nothing({ children }: { readonly children: ReactNode }) {
  return <p className="nothing">{children}</p>;
}
