import assert from 'node:assert/strict';
import { fold, type Message, type Saga } from '#libs/kernel';

/** Specifies a saga by example: `givenSaga(delivery, started, sent).then({ type: 'complete', data: … })`. */
export function givenSaga<State, Seen extends Message, Reaction extends Message>(
  saga: Saga<State, Seen, Reaction>,
  ...seen: readonly NoInfer<Seen>[]
): {
  /** Exactly these reactions, in this order; none: it waits, or has ended. */
  then(...reactions: readonly NoInfer<Reaction>[]): void;
} {
  return {
    then: (...expected) => {
      assert.deepEqual(saga.react(fold(saga, seen)), expected);
    },
  };
}
