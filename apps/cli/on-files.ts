import { messageOf } from '#libs/kernel';
import { CommandFailed, exitCodes, type ExitCode } from './exit-codes.js';

/** Runs work on files, whatever goes wrong with them being told in one line. */
export async function onFiles(work: () => Promise<ExitCode>): Promise<ExitCode> {
  // Keys of personal data: for nobody but this user.
  process.umask(0o077);
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new CommandFailed(exitCodes.filesUnusable, messageOf(error));
  }
}
