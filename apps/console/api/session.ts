import { useSyncExternalStore } from 'react';

/** In this window only, until it is closed: neither other windows nor the disk get to see the key. */
const storage = sessionStorage;
const place = 'tidings.api-key';

/** Why a key has to be given now: there is none, it was not taken, or somebody signed out. */
export type KeyWish = 'missing' | 'refused' | 'signedOut';

export interface Session {
  readonly key: string | undefined;
  /** Undefined: nothing is to be given. */
  readonly wish: KeyWish | undefined;
}

let session: Session = { key: storage.getItem(place) ?? undefined, wish: undefined };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  if (next.key === undefined) storage.removeItem(place);
  else storage.setItem(place, next.key);
  for (const listener of listeners) listener();
}

export const currentKey = (): string | undefined => session.key;

export const signIn = (key: string): void => become({ key, wish: undefined });

export const signOut = (): void => become({ key: undefined, wish: 'signedOut' });

/** The server wants another key than this one, or one at all. */
export function askForKey(sent: string | undefined): void {
  // An answer to a request from before the last sign-in says nothing of the key that is there now.
  if (sent !== session.key || session.wish !== undefined) return;
  become({ key: undefined, wish: sent === undefined ? 'missing' : 'refused' });
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
