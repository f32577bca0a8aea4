/** A record, or a filter checkpoint, that has been handed out and waits to be done. */
export interface Ticket {
  readonly position: bigint;
  done: boolean;
}

/**
 * The position up to which everything is done, while records are done in any order. Filter checkpoints go through it
 * as records do, so that they never overtake a record that is still being handled.
 */
export class LowWaterMark {
  private tickets: Ticket[] = [];
  private first = 0;

  /** @param position everything up to here is done already */
  constructor(public position: bigint) {}

  /** Tickets that wait. */
  get open(): number {
    return this.tickets.length - this.first;
  }

  /** Positions must come in ascending order. */
  take(position: bigint): Ticket {
    const ticket = { position, done: false };
    this.tickets.push(ticket);
    return ticket;
  }

  finish(ticket: Ticket): void {
    ticket.done = true;
    if (this.tickets[this.first] !== ticket) return;
    while (this.first < this.tickets.length && this.tickets[this.first]!.done) {
      this.position = this.tickets[this.first]!.position;
      this.first += 1;
    }
    if (this.first > 1024 && this.first * 2 > this.tickets.length) {
      this.tickets = this.tickets.slice(this.first);
      this.first = 0;
    }
  }

  /** Everything up to here has been handed out. */
  pass(position: bigint): void {
    this.finish(this.take(position));
  }
}
