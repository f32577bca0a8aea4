import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { ask, Refusal } from '../api/client.js';
import { queryClient } from '../api/live.js';
import { signIn, type KeyWish } from '../api/session.js';
import { Trouble } from '../parts/answer.js';
import { Page } from '../parts/page.js';

const why: Readonly<Record<KeyWish, string>> = {
  missing: 'This server asks for an API key.',
  refused: 'The key was taken away, or its time is over.',
  signedOut: 'You have signed out.',
};

/** A key that is known may lack any scope: that is told where it is needed. */
async function tryKey(key: string): Promise<void> {
  // No header can hold it, so no server knows it.
  if (!/^[!-~]+$/.test(key)) throw new Refusal(401, {});
  try {
    await ask('/v1/stats', { key });
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 403)) throw error;
  }
  queryClient.clear();
  signIn(key);
}

export function SignInPage({ wish }: { readonly wish: KeyWish }) {
  const [key, setKey] = useState('');
  const trying = useMutation({ mutationFn: tryKey });
  const isUnknown = trying.error instanceof Refusal && trying.error.status === 401;
  function submit(event: FormEvent): void {
    event.preventDefault();
    trying.mutate(key.trim());
  }
  return (
    <Page title="Sign in">
      <p role="status">{why[wish]}</p>
      <form className="stack" onSubmit={submit}>
        <PasswordInput
          label="API key"
          description="Kept in this window until you sign out or close it."
          required
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          error={isUnknown && 'The server does not know this key, or not any more.'}
        />
        <div className="actions">
          <Button type="submit" loading={trying.isPending}>
            Sign in
          </Button>
        </div>
        {trying.error && !isUnknown && <Trouble error={trying.error} />}
      </form>
    </Page>
  );
}
