import type { RecordOf } from '#libs/kernel';
import { isTerminal, notification, type notificationEvents } from '#libs/notification';
import type { NotifyMembers } from '../operations/internal.js';

/** With so many of a page's members left that have not ended, the next page follows. */
const mostLeft = 250;
/** Or after so long, whatever becomes of them. In milliseconds. */
const longestWait = 10_000;

/** A page whose members are being told. The next page waits for it, so that not all members are under way at a time. */
export class OpenPage {
  /** True: done. False: it is to be taken up again after a restart. */
  readonly settled: Promise<boolean>;
  private readonly left = new Set<number>();
  private settle!: (done: boolean) => void;
  private fail!: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private proceeding: Promise<void> | undefined;

  /** @param proceed asks for the page that follows */
  constructor(
    { firstOrdinal, recipientIds }: NotifyMembers,
    private readonly proceed: () => Promise<void>,
  ) {
    for (let index = 0; index < recipientIds.length; index += 1) this.left.add(firstOrdinal + index);
    this.settled = new Promise((settle, fail) => {
      this.settle = settle;
      this.fail = fail;
    });
    // Where it is never waited for.
    this.settled.catch(() => {});
  }

  /** All members have been asked to be told. */
  async asked(): Promise<void> {
    this.timer = setTimeout(() => void this.goOn(), longestWait);
    await this.look();
  }

  /** Nothing is left to do for this member, or not now. */
  async ended(ordinal: number): Promise<void> {
    this.left.delete(ordinal);
    if (this.timer !== undefined) await this.look();
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    await this.proceeding;
    this.settle(false);
  }

  private async look(): Promise<void> {
    if (this.left.size <= mostLeft) await this.goOn();
  }

  /** Once. What goes wrong is the page's failure, not that of the record that came last. */
  private goOn(): Promise<void> {
    clearTimeout(this.timer);
    this.proceeding ??= this.proceed().then(
      () => this.settle(true),
      (error: unknown) => this.fail(error),
    );
    return this.proceeding;
  }
}

/** True for an event after which a notification keeps nobody busy. */
export function leavesNothing(record: RecordOf<typeof notificationEvents>): boolean {
  const { status } = notification.evolve(notification.initial(), record);
  return isTerminal(status) || status === 'scheduled';
}
