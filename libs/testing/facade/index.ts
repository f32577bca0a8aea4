export { TemporaryFacade } from './temporary-facade.js';
