export { withFaults, type Faults } from './faulty-store.js';
export { TemporaryStore } from './temporary-store.js';
