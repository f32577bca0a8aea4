import type { Channel } from '#libs/recipient';
import type { Decision, NotificationPrepared, NotificationRequested, OperationOutcome } from '#libs/notification';
import type { Sealed } from '#libs/vault';

/** A text in the form of a sealed one; nothing opens it. */
export function sealedSample(label: string): Sealed {
  return `sealed.v1.some-key.${label}.${'A'.repeat(38)}` as Sealed;
}

export const decisionSample: Decision = {
  recipientRevision: '0',
  preference: 'none',
  severity: 'info',
  category: 'billing',
};

export const requestedSample: NotificationRequested = {
  recipientId: 'user-42',
  category: 'billing',
  severity: 'info',
  subject: sealedSample('subject'),
  about: null,
  tags: { invoice: '7' },
  notAfter: '2026-01-02T00:00:00.000Z',
};

/** A decision with one mail for each of the ids. */
export function preparedSample(...operationIds: readonly string[]): NotificationPrepared {
  return {
    decision: decisionSample,
    channels: [{ channel: 'email', outcome: 'prepared' }],
    operations: operationIds.map((id) => ({
      id,
      channel: 'email',
      type: 'SendEmail',
      operation: {
        sender: { address: 'office@example.org' },
        to: [{ address: sealedSample('address'), name: null }],
        content: { inline: sealedSample('content') },
        date: '2026-01-01T00:00:00.000Z',
        notAfter: '2026-01-02T00:00:00.000Z',
        delivery: 'atLeastOnce',
      },
    })),
    deadline: '2026-01-02T00:01:00.000Z',
  };
}

/** A decision with a mail, and a Slack message with a file. */
export function preparedOnBothSample(mail: string, message: string, upload: string): NotificationPrepared {
  const { operations, ...rest } = preparedSample(mail);
  const common = {
    channel: sealedSample('address'),
    content: { inline: sealedSample('content') },
    notAfter: '2026-01-02T00:00:00.000Z',
    delivery: 'atLeastOnce',
  } as const;
  return {
    ...rest,
    channels: [
      { channel: 'slack', outcome: 'prepared' },
      { channel: 'email', outcome: 'prepared' },
    ],
    operations: [
      { id: message, channel: 'slack', type: 'SendSlackMessage', operation: common },
      { id: upload, channel: 'slack', type: 'UploadFileToSlack', operation: { ...common, attachment: 0 } },
      ...operations,
    ],
  };
}

/** An operation that succeeded, or failed for the reason. */
export function outcomeSample(
  operationId: string,
  reason: string | null = null,
  channel: Channel = 'email',
): OperationOutcome {
  const status = reason === null ? 'succeeded' : 'failed';
  return { operationId, channel, status, reason, inDoubt: reason === 'inDoubt' || reason === 'deadline' };
}
