import { TidingsError, type StreamDefinition } from '#libs/kernel';
import type { Append } from '#libs/store/port';

/** Which version of a view is meant where somebody reads or writes it. */
export interface ViewNames {
  /** @throws StoreUnavailable while that is not known */
  versionOf(view: StreamDefinition): number;
  /** Appends, among others to views; waits while a version is being switched. @throws ViewSwitched */
  writing<Result>(appends: readonly Append[], append: () => Promise<Result>): Promise<Result>;
}

/** The append was meant for a version that does not serve any more: look at the one that does, and write to that. */
export class ViewSwitched extends TidingsError {
  readonly code = 'view-switched';
  constructor(stream: string) {
    super(`another version serves than that of ${stream}`);
  }
}

/** One version, whichever serves: for a rebuild, and for tests. */
export function fixedVersion(version: number): ViewNames {
  return { versionOf: () => version, writing: (_, append) => append() };
}

/** Of who has nothing to do with views. */
export const noViews: ViewNames = {
  versionOf: ({ category }) => {
    throw new TypeError(`it was not said which version of ${category} is meant`);
  },
  writing: (_, append) => append(),
};
