const barWidth = 30;

/** How far something is, on one line. @param share from 0 to 1 @param rate records a second; 0: not known */
export function progressText(what: string, share: number, rate: number, error?: string | null): string {
  const full = Math.round(share * barWidth);
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
  const speed = rate > 0 ? `  ${rate.toLocaleString('en')} records/s` : '';
  return `${what}  ${bar}  ${String(Math.floor(share * 100)).padStart(3)} %${speed}${error ? `  ${error}` : ''}`;
}
