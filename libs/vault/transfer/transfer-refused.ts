import { TidingsError } from '#libs/kernel';

/** What is to be copied, and what stands in the target, cannot both be right. */
export class TransferRefused extends TidingsError {
  readonly code = 'transfer-refused';
}
