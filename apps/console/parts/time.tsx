import { useEffect, useState } from 'react';

const day = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });

/** The time now, every second. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A time as the clock shows it, with its day where that is not today. @param at RFC 3339 */
export function Time({ at }: { readonly at: string }) {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return (
    <time dateTime={at} title={at}>
      {isToday ? clock.format(time) : `${date.format(time)}, ${clock.format(time)}`}
    </time>
  );
}

/** How long ago, in one unit. @param at RFC 3339 */
export function Ago({ at }: { readonly at: string }) {
  const passed = Math.max(0, useNow() - Date.parse(at));
  return (
    <time dateTime={at} title={at}>
      {passed < 1_000 ? 'now' : `${durationText(passed)} ago`}
    </time>
  );
}

/** `64 ms`, `1.2 s`, `4 min`, `3 h`, `2 d`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds < 60_000) return `${Math.round(milliseconds / 1_000)} s`;
  if (milliseconds < 3_600_000) return `${Math.round(milliseconds / 60_000)} min`;
  return milliseconds < 2 * day ? `${Math.round(milliseconds / 3_600_000)} h` : `${Math.round(milliseconds / day)} d`;
}
