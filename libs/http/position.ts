import type { FastifyReply } from 'fastify';

/** Tells up to where a list has to have come to show what was written (`atLeast`); nothing where that is not known. */
export function tellPosition(reply: FastifyReply, position: bigint | undefined): void {
  if (position !== undefined) void reply.header('tidings-position', String(position));
}
