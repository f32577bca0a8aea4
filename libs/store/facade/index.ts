export { startFacade, type Facade } from './facade.js';
export { Pace } from './pace.js';
export type { FacadeLimits, FacadeOptions, FacadeTls, FacadeUser, Fault } from './options.js';
