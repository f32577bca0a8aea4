export type { Authenticator, Caller } from './caller.js';
export { KeyFileMalformed, parseKeyFile } from './keys/key-file.js';
export { KeyRing } from './keys/key-ring.js';
export { scopeMeanings, type Scope } from './scopes.js';
