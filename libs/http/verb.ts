/**
 * The route path of a custom verb: `verb('v1/notifications', 'batch')` routes `/v1/notifications:batch`, and
 * `verb('v1/notifications/:id', 'cancel')` routes `/v1/notifications/{id}:cancel`, also where the id holds colons.
 */
export function verb(path: string, name: string): string {
  // In a route a colon starts a parameter and two are a colon; a parameter ends before a colon only after a pattern.
  const endsInParameter = /\/:\w+$/.test(path);
  return endsInParameter ? `${path}(.+)::${name}` : `${path}::${name}`;
}
