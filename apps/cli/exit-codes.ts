/** How the command line ends. The numbers are part of its contract: never change one. */
export const exitCodes = {
  ok: 0,
  no: 1,
  usage: 2,
  unreachable: 3,
  refused: 4,
  serverFailed: 5,
  notYet: 6,
  filesUnusable: 7,
  denied: 8,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For people, by exit code. */
export const meanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'done, and the answer is no: not sent, nothing to redrive, or nobody to erase',
  2: 'the arguments are wrong, or a file cannot be read',
  3: 'the server cannot be reached, or gives no answer in time',
  4: 'the server has refused it',
  5: 'the server has failed, or is not Tidings',
  6: 'the wait is over, and the notification is not at its end',
  7: 'the files of a backup, a data directory or keys cannot be used or written',
  8: 'the server wants an API key, or one with another scope',
};

/** Ends the command: one line for people, one number for programs. */
export class CommandFailed extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** Of the server's answer, where that is what failed. */
    readonly status?: number,
  ) {
    super(message);
    this.name = 'CommandFailed';
  }
}

export function usageError(message: string): CommandFailed {
  return new CommandFailed(exitCodes.usage, message);
}
