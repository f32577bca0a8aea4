import { defineStream, type Schema } from '#libs/kernel';
import { defineBot, defineProjector } from './handler.js';
import { defineTopology, stream } from './topology.js';

const text: Schema<{ readonly text: string }> = { problems: () => [] };
const operations = defineStream('a', 'operation', { 'a.do.v1': text });
const events = defineStream('a', 'event', { 'a.done.v1': text });
const views = defineStream('a', 'view', { 'a.view.v1': text });

const bot = defineBot({
  name: 'a.bot',
  reads: [operations],
  writes: [events],
  create: (_services: { readonly mailer: string }) => ({
    async handle(record, context) {
      await context.read(operations, record.data.text);
      await context.append(context.write(events, 'k', 'noStream', [{ type: 'a.done.v1', data: { text: '' } }]));
      // @ts-expect-error -- a write that the handler has not declared
      context.write(views, 'k', 'noStream', [{ type: 'a.view.v1', data: { text: '' } }]);
      // @ts-expect-error -- a read that the handler has not declared
      await context.read(views, 'k');
      // @ts-expect-error -- a type that the stream does not hold
      context.write(events, 'k', 'noStream', [{ type: 'a.do.v1', data: { text: '' } }]);
      // @ts-expect-error -- a revision that nobody can know
      context.write(events, 'k', 'any', []);
    },
  }),
});
const projector = defineProjector({
  name: 'a.projector',
  reads: [events],
  writes: [views],
  create: (_services: { readonly clock: number }) => ({ handle: () => Promise.resolve() }),
});

const topology = defineTopology([
  stream(operations, { producers: [], consumers: [bot] }),
  stream(events, { producers: [bot], consumers: [projector] }),
  stream(views, { producers: [projector], consumers: [] }),
]);
topology.services?.({ mailer: '', clock: 1 });
// @ts-expect-error -- a service is missing
topology.services?.({ mailer: '' });

// @ts-expect-error -- the projector has not declared to write events
stream(events, { producers: [projector], consumers: [] });
// @ts-expect-error -- the bot has not declared to read views
stream(views, { producers: [], consumers: [bot] });

defineTopology(
  // @ts-expect-error -- the bot writes events, which do not list it
  [
    stream(operations, { producers: [], consumers: [bot] }),
    stream(events, { producers: [], consumers: [projector] }),
    stream(views, { producers: [projector], consumers: [] }),
  ],
);
