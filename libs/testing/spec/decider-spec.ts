import assert from 'node:assert/strict';
import { fold, Refused, type Decider, type Message } from '#libs/kernel';

/** What a decider is asked, and what it has to answer. */
export interface DeciderSpec<Command, Event> {
  /** What the command comes to. */
  when(command: Command): {
    /** Exactly these events, in this order; none: the command changes nothing. */
    then(...events: readonly NoInfer<Event>[]): void;
    /** It is refused, under this code. */
    thenRefused(code: string): void;
  };
}

/**
 * Specifies an aggregate by example:
 * `given(recipient, registered).when({ type: 'rename', name }).then({ type: 'recipient.renamed.v1', data: { name } })`.
 */
export function given<State, Command, Event extends Message>(
  decider: Decider<State, Command, Event>,
  ...events: readonly NoInfer<Event>[]
): DeciderSpec<Command, Event> {
  return {
    when: (command) => ({
      then: (...expected) => {
        assert.deepEqual(decider.decide(fold(decider, events), command), expected);
      },
      thenRefused: (code) => {
        const state = fold(decider, events);
        assert.throws(
          () => decider.decide(state, command),
          (thrown) => {
            if (!(thrown instanceof Refused)) throw thrown;
            assert.equal(thrown.code, code);
            return true;
          },
        );
      },
    }),
  };
}
