/** Repetitions of one alternative: each can multiply the ways to match a text by its length. */
const maxRepetitions = 3;
/** Choices of one alternative: each can double the ways. */
const maxChoices = 12;

/** The parts of an expression that matter here, each with what it is. */
const parts =
  /(?<reference>\\[1-9]|\\k<)|(?<lookaround>\(\?<?[=!])|(?<plain>\\.|\[(?:\\.|[^\]\\])*\]|\{\d+\}\??)|(?<open>\((?:\?(?::|<[^>]*>))?)|(?<close>\))|(?<bar>\|)|(?<repetition>(?:[*+]|\{\d+,\d*\})\??)|(?<optional>\?\??)/gsu;

/**
 * What in an expression can make a backtracking engine try for long; undefined where there is nothing. RE2 knows no
 * references and look-arounds either. What is not well-formed is for the engine to tell.
 */
export function dangerOf(source: string): string | undefined {
  /** For each open group whether something in it repeats or is a choice; the first is the whole expression. */
  const varying = [false];
  let repetitions = 0;
  let choices = 0;
  /** Where a group ended that varies. */
  let varyingUntil = -1;
  for (const { 0: text, index, groups = {} } of source.matchAll(parts)) {
    const repeats = groups['repetition'] !== undefined || text.startsWith('{');
    if (groups['reference'] !== undefined) return 'a reference to a group';
    if (groups['lookaround'] !== undefined) return 'a look-ahead or look-behind';
    if (repeats && index === varyingUntil) return 'a repeated group with a repetition or a choice in it';
    if (groups['open'] !== undefined) varying.push(false);
    else if (groups['close'] !== undefined) {
      const varies = varying.length > 1 && varying.pop()!;
      varying[varying.length - 1] ||= varies;
      if (varies) varyingUntil = index + text.length;
    } else if (groups['bar'] !== undefined && varying.length === 1) {
      // Alternatives of the whole expression are tried one after the other.
      repetitions = 0;
      choices = 0;
    } else if (groups['plain'] === undefined) {
      if (groups['repetition'] !== undefined) repetitions += 1;
      else choices += 1;
      varying[varying.length - 1] = true;
    }
    if (repetitions > maxRepetitions) return `more than ${maxRepetitions} repetitions`;
    if (choices > maxChoices) return `more than ${maxChoices} choices`;
  }
  return undefined;
}
