import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `npm run build` makes of apps/console; three folders up from dist/apps/server. */
const builtConsole = fileURLToPath(new URL('../../../apps/console/dist/', import.meta.url));

/** The first part of every path that is a page of the console. All others stay as they are: unknown ones a problem. */
const pages = ['notifications', 'recipients', 'topology', 'parked', 'send'] as const;

/**
 * Nothing but what the server itself serves, and no script that does not stand in a file. Styles may stand in elements:
 * the frame that shows the HTML of a mail inherits this policy, and mails have their styles nowhere else.
 */
const contentSecurityPolicy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  // The page names its scripts by their hashes: an old one would ask for scripts that are gone.
  'cache-control': 'no-cache',
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** The page holds nothing; what it shows it asks of the API, with a key. */
const forEverybody = { config: { needs: 'nothing' } } as const;

const notBuilt =
  'The console is not built: `npm run build` builds it, and the next start serves it. The API is here, under /v1.\n';

/**
 * Serves the console: its page at `/` and at every path that the page itself knows, its scripts and styles under
 * `/assets/`. Where it is not built, those paths say so.
 * @param folder with `index.html` and `assets/`
 */
export async function serveConsole(app: NestFastifyApplication, folder = builtConsole): Promise<void> {
  const isBuilt = existsSync(join(folder, 'index.html'));
  if (isBuilt) await serveAssets(app, join(folder, 'assets'));
  const fastify = app.getHttpAdapter().getInstance();
  for (const path of ['/', ...pages.flatMap((page) => [`/${page}`, `/${page}/*`])]) {
    fastify.get(path, forEverybody, async (_request, reply) =>
      isBuilt
        ? reply.headers(pageHeaders).send(await readFile(join(folder, 'index.html')))
        : reply.code(404).type('text/plain; charset=utf-8').send(notBuilt),
    );
  }
}

async function serveAssets(app: NestFastifyApplication, root: string): Promise<void> {
  // Not needed where there is nothing to serve.
  const { default: fastifyStatic } = await import('@fastify/static');
  await app.register(async (assets: FastifyInstance) => {
    assets.addHook('onRoute', (route) => {
      route.config = { ...route.config, ...forEverybody.config };
    });
    await assets.register(fastifyStatic, {
      root,
      prefix: '/assets/',
      index: false,
      preCompressed: true,
      // Their names hold a hash of what they hold.
      immutable: true,
      maxAge: '365d',
      setHeaders: (reply) => void reply.header('x-content-type-options', 'nosniff'),
    });
  });
}
