const space = /[ \t\n\r]*/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Where text stops being JSON: the offset of the first character that cannot be right, the length of the text where
 * something is missing at its end. For text that `JSON.parse` has refused.
 */
export function findJsonError(text: string): number {
  let at = 0;

  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  /** Leaves off at the character that a string cannot hold. */
  const skipString = (): boolean => {
    if (text[at] !== '"') return false;
    at += 1;
    while (at < text.length && text[at] !== '"') {
      if (text[at] === '\\') {
        if (!skip(escape)) return false;
      } else if (text.charCodeAt(at) < 0x20) {
        return false;
      } else {
        at += 1;
      }
    }
    if (at === text.length) return false;
    at += 1;
    return true;
  };

  /** The brackets that are open, from the outermost. */
  const open: string[] = [];
  for (;;) {
    skip(space);
    const isKey = open.at(-1) === '{';
    if (isKey) {
      if (!skipString()) return at;
      skip(space);
      if (text[at] !== ':') return at;
      at += 1;
      skip(space);
    }
    const bracket = text[at];
    if (bracket === '{' || bracket === '[') {
      at += 1;
      skip(space);
      if (text[at] !== (bracket === '{' ? '}' : ']')) {
        open.push(bracket);
        continue;
      }
      at += 1;
    } else if (!skipString() && !skip(scalar)) {
      return at;
    }
    skip(space);
    while (open.length > 0 && text[at] === (open.at(-1) === '{' ? '}' : ']')) {
      open.pop();
      at += 1;
      skip(space);
    }
    if (open.length === 0 || text[at] !== ',') return at;
    at += 1;
  }
}
