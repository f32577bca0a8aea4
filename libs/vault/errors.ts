import { TidingsError } from '#libs/kernel';

/** The key is gone, and with it the person's data: nobody can read it any more. */
export class KeyDestroyed extends TidingsError {
  readonly code = 'key-destroyed';
  constructor(readonly keyId: string) {
    super(`key ${keyId} does not exist any more: what was sealed under it cannot be read`);
  }
}

/** What was to be opened is not what was sealed: changed, cut, under another label, or no sealed value at all. */
export class SealBroken extends TidingsError {
  readonly code = 'seal-broken';
  constructor(reason: string) {
    super(`the seal is broken: ${reason}`);
  }
}
