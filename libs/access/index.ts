export type { Authenticator, Caller } from './caller.js';
export { hashOfKey, newKey } from './keys/api-key.js';
export { editKeyFile, KeyFileLocked } from './keys/edit-key-file.js';
export { entryProblems, KeyFileMalformed, normalHash, parseKeyFile, type KeyEntry } from './keys/key-file.js';
export { KeyRing } from './keys/key-ring.js';
export { readKeyFile } from './keys/read-key-file.js';
export { scopeMeanings, type Scope } from './scopes.js';
