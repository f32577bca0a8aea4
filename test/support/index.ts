import { jest } from '@jest/globals';

export { Api, type Accepted, type Answer, type EventItem } from './api.js';
export { readEvents, type StreamedEvent } from './event-stream.js';
export { eventually } from './eventually.js';
export { eventsAreElsewhere, eventsOf, openEvents, readStore, startElsewhere, withStore } from './events-elsewhere.js';
export { findInFiles } from './files.js';
export { keysIn, type Keys } from './keys.js';
export { handOver, type SmtpAnswer } from './mailer.js';
export { Program, type EndedProcess, type Environment } from './program.js';
export { apiOf, bouncesOf, runServer, startServer, temporaryFolder, type ServerProcess } from './server-process.js';
export { attachToTests, TestServer, useServer } from './test-server.js';

// Starting a process takes a while where many are started at the same time.
jest.setTimeout(60_000);
