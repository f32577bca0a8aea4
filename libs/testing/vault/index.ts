export { describeKeyStoreContract } from './key-store-contract.js';
export { describeSharedKeyStoreContract } from './shared-key-store-contract.js';
