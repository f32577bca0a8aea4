/** What a report is about. */
export interface ReportGiven {
  /** Address that the report goes to. */
  readonly to: string;
  /** Address that the mail did not get to. */
  readonly recipient: string;
  /** Of the mail, with its angle brackets. */
  readonly messageId: string;
  /** RFC 3463; that there is no such mailbox when left out. */
  readonly status?: string;
  /** `failed` when left out. */
  readonly action?: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
}

/** A mail of these lines, as it goes over the wire. */
export function mailOf(...lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}
