/** A record that has been handed out and waits to be done. */
export interface Ticket {
  /** Everything after the record and up to here is done. */
  reach: bigint;
  before: Ticket | undefined;
  after: Ticket | undefined;
  done: boolean;
}

/**
 * The position up to which everything is done, while records are done in any order. Filter checkpoints go through it
 * as records do, so that they never overtake a record that is still being handled. It remembers only what is not done,
 * so that one record may hold it back for long.
 */
export class LowWaterMark {
  private last: Ticket | undefined;

  /** @param position everything up to here is done already */
  constructor(public position: bigint) {}

  /** Positions must come in ascending order. */
  take(position: bigint): Ticket {
    const ticket: Ticket = { reach: position, before: this.last, after: undefined, done: false };
    if (this.last !== undefined) this.last.after = ticket;
    this.last = ticket;
    return ticket;
  }

  finish(ticket: Ticket): void {
    if (ticket.done) return;
    ticket.done = true;
    const { before, after, reach } = ticket;
    if (after === undefined) this.last = before;
    else after.before = before;
    if (before === undefined) {
      this.position = reach;
    } else {
      before.after = after;
      before.reach = reach;
    }
  }

  /** Everything up to here has been handed out. */
  pass(position: bigint): void {
    if (this.last === undefined) this.position = position;
    else this.last.reach = position;
  }
}
