/** Up to here the server is not hindered by others; in parts of its event loop's time. */
const easy = 0.4;
const busy = 0.8;
const least = 0.1;

/**
 * The part of its time that the facade may work for long reads.
 * @param utilization of the server's event loop, 0 to 1
 * @returns above 0, at most 1, in steps of a tenth
 */
export function shareBeside(utilization: number): number {
  const between = (Math.min(Math.max(utilization, easy), busy) - easy) / (busy - easy);
  return Math.round((1 - between * (1 - least)) * 10) / 10;
}
