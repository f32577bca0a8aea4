/** Purpose of the timer that waits for a notification's time. */
export const deliverAtPurpose = 'notification.deliver-at';

/** Key of that timer. */
export function deliverAtTimerKey(id: string): string {
  return `${id}.deliver-at`;
}
