export { AskedBy, demand } from './asked-by.js';
export { guard } from './guard.js';
export { keepNeeds, Needs, Public, type RouteNeeds } from './needs.js';
export { routeConfig, type Need } from './route-config.js';
