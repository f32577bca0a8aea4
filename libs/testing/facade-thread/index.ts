export { FacadeThread } from './facade-thread.js';
