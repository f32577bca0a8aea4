export type { BlindIndex } from './blind-index.js';
export { copySqliteKeys } from './copy-keys.js';
export * from './errors.js';
export { IsSealed } from './is-sealed.js';
export type { DataKey, KeyStore } from './key-store.js';
export { MemoryKeyStore } from './memory-key-store.js';
export { isSealed, keyIdOf, sealedPrefix, type Sealed } from './sealer.js';
export { SqliteKeyStore } from './sqlite-key-store.js';
export { erasedText, type SealedBytes, unreadableText, Vault, type VaultOptions } from './vault.js';
