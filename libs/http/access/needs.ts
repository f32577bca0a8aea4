import type { FastifyInstance, RouteOptions } from 'fastify';
import type { Scope } from '#libs/access';
import { pathTemplate } from '../openapi/path-template.js';
import { routeConfig, type Need } from './route-config.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Of the routes that are registered so far. */
    routeNeeds(): RouteNeeds;
  }
}

/** What each route needs, by method and path as a client sees them; undefined: it does not say. */
export type RouteNeeds = ReadonlyMap<string, Need | undefined>;

/** A route for callers with this scope. Without this or `Public` nobody gets in, where there are API keys. */
export function Needs(scope: Scope): MethodDecorator {
  return routeConfig({ needs: scope });
}

/** A route for everybody, also where there are API keys. */
export function Public(): MethodDecorator {
  return routeConfig({ needs: 'nothing' });
}

/** Lets `fastify.routeNeeds` tell of the routes that are registered from now on. */
export function keepNeeds(fastify: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  // Later hooks may still say what a route needs.
  fastify.addHook('onRoute', (route) => void routes.push(route));
  fastify.decorate('routeNeeds', () => {
    const named = routes.flatMap(({ method, url, config }) =>
      [method].flat().map((one) => [`${one} ${pathTemplate(url)}`, config?.needs] as const),
    );
    return new Map(named);
  });
}
