import type { InvalidRecord } from './errors.js';

/** A change or a request in one of the streams: a stored type name and its data. */
export interface Message<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/**
 * An aggregate as three pure functions. No clock, randomness or I/O inside: what a decision needs comes with
 * the command.
 */
export interface Decider<State, Command, Event extends Message> {
  initial(): State;
  evolve(state: State, event: Event): State;
  /** The state after a record that cannot be read. Without it, such a record keeps the aggregate from being loaded. */
  evolveUnreadable?(state: State, unreadable: InvalidRecord): State;
  /** The events that follow from the command; none where its cause has been decided already. Throws `Refused`. */
  decide(state: State, command: Command): readonly Event[];
}

/** A long-running decision over several streams: what it has seen so far, and what follows from that. */
export interface Saga<State, Seen extends Message, Reaction extends Message> {
  initial(): State;
  evolve(state: State, seen: Seen): State;
  /** What the saga wants written now; none while it waits and none once it has ended. */
  react(state: State): readonly Reaction[];
}

/** The state after the events. */
export function fold<State, Event>(
  decider: { initial(): State; evolve(state: State, event: Event): State },
  events: Iterable<Event>,
): State {
  let state = decider.initial();
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
