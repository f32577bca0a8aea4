export { Api, type Accepted, type Answer, type EventItem } from './api.js';
export { eventually } from './eventually.js';
export { runServer, startServer, temporaryFolder, type EndedProcess, type ServerProcess } from './server-process.js';
