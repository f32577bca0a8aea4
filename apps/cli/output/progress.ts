const barWidth = 30;

interface HowFar {
  readonly done: number;
  readonly total: number;
  /** Records a second; 0: not known. */
  readonly rate: number;
  readonly error: string | null;
}

/** How far something is, on one line. */
export function progressText(what: string, { done, total, rate, error }: HowFar): string {
  const full = partsDone(done, total, barWidth);
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
  const speed = rate > 0 ? `  ${rate.toLocaleString('en')} records/s` : '';
  return `${what}  ${bar}  ${percent(done, total).padStart(5)}${speed}${error ? `  ${error}` : ''}`;
}

/** With so many digits behind the point, rounded down: only what is all done is at 100 %. */
export function percent(done: number, total: number, digits = 0): string {
  const parts = 10 ** digits;
  return `${(partsDone(done, total, 100 * parts) / parts).toFixed(digits)} %`;
}

/** Of so many equal parts, those that are done. */
function partsDone(done: number, total: number, parts: number): number {
  return total === 0 ? parts : Math.min(parts, Math.floor((done * parts) / total));
}
