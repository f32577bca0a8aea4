import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';
import type { Scope } from '#libs/access';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller needs; left out: nobody gets in. */
    readonly needs?: Need;
    /** The body is taken as it comes. */
    readonly streamedBody?: true;
  }
}

/** The scope that a route needs; `nothing`: it is for everybody. */
export type Need = Scope | 'nothing';

/** Says something of a route, beside what other decorators say of it: Nest's own knows the last one only. */
export function routeConfig(part: FastifyContextConfig): MethodDecorator {
  return (target, key, descriptor) => {
    const before = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) as object | undefined;
    RouteConfig({ ...before, ...part })(target, key, descriptor);
  };
}
