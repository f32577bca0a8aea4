/** A route's path as a client sees it: `/v1/notifications/:id(.+)::cancel` is `/v1/notifications/{id}:cancel`. */
export function pathTemplate(url: string): string {
  return url.replaceAll(/::|:(\w+)(?:\(.*?\))?/g, (_, name?: string) => (name === undefined ? ':' : `{${name}}`));
}
