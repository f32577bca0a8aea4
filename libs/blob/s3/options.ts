import type { S3Location } from './location.js';

export interface S3BlobOptions {
  readonly location: S3Location;
  /** Milliseconds that the service may stay silent, or a connection may take. Default 5000. */
  readonly answerWithin?: number;
}

/** Bytes that are held in memory of each upload, twice over for a moment; S3 takes no smaller parts, and 10 000 of them. */
export const partBytes = 5 * 1_048_576;
