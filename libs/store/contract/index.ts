export { describeEventStoreContract, type ContractTarget } from './contract.js';
