import { schemas } from '#libs/http';
import { severities, type PreferenceSource } from '#libs/recipient';
import { named, nullable } from '#libs/validation';
import {
  failureReasons,
  stepNames,
  stepSources,
  type Decision,
  type InternalTeamNotified,
  type StepReport,
} from '../event/contents.js';
import type { NotificationStatus } from '../event/notification.js';
import type { About } from '../operations/client.js';
import type { NotificationSnapshot } from '../snapshot/notification-snapshot.js';
import type { ContentView } from './content.controller.js';
import type {
  ChannelStatus,
  ChannelView,
  NotificationView,
  DeliveryView,
  OperationErrorView,
  OperationView,
  ReportView,
} from '../view/notification-view.js';

const { arrayOf, count, flag, meaning, objectOf, oneOf, position, recordOf, text, time, uuid } = schemas;

const texts = arrayOf(text);

const decision = objectOf<Decision>(
  {
    recipientRevision: nullable(text),
    preference: nullable(
      meaning<PreferenceSource>({
        category: 'the preference for this category decided',
        default: 'the default preference decided',
        none: 'there is no preference',
      }),
    ),
    severity: oneOf(severities),
    category: text,
    steps: arrayOf(objectOf<StepReport>({ step: oneOf(stepNames), source: oneOf(stepSources), failures: texts })),
  },
  ['steps'],
);

const error = objectOf<OperationErrorView>({
  reason: { ...nullable(text), description: 'Why it was given up; null while it is tried again.' },
  stage: nullable(text),
  code: { type: ['integer', 'string', 'null'], description: 'SMTP reply code, or Slack’s error code.' },
  message: nullable(text),
});

const report = objectOf<ReportView>({
  role: meaning<ReportView['role']>({
    to: 'whom the mail is for',
    cc: 'gets a copy',
    bcc: 'gets a copy that nobody else sees',
    unknown: 'an address that the mail did not go to',
  }),
  address: text,
  status: { type: 'string', description: 'What the mail server said (RFC 3463).' },
  diagnostic: { ...nullable(text), description: 'In its own words.' },
  at: time,
});

/** Those that are there only where something was reported. */
export const reportFields = ['bounced', 'delayed'] as const;

/** Of an operation, wherever it is shown. */
export const operationFields = {
  id: uuid,
  type: meaning<OperationView['type']>({
    SendEmail: 'a mail',
    SendSlackMessage: 'a Slack message',
    UploadFileToSlack: 'a file for Slack',
  }),
  status: meaning<OperationView['status']>({
    pending: 'nothing was tried yet',
    sending: 'an attempt is under way',
    retrying: 'an attempt failed, another one follows',
    succeeded: 'it was taken',
    bounced: 'it was taken, and came back from an address that it was for',
    failed: 'it was given up',
  }),
  to: { type: 'string', description: 'Address or channel; `[erased]` once the recipient is erased.' },
  attempts: { ...count, description: 'Claims: 451 twice and then 250 makes 3.' },
  error: nullable(error),
  inDoubt: { ...flag, description: 'Whether it was delivered is not known.' },
  at: { ...time, description: 'When it last changed.' },
  message: { ...nullable(text), description: 'Where what was sent can be read, in the sandbox.' },
  late: { ...flag, description: 'Its outcome came after the notification had ended, and did not change how.' },
  bounced: { ...arrayOf(report), description: 'Addresses that the mail came back from.' },
  delayed: { ...arrayOf(report), description: 'Addresses that the mail was late for, or still is.' },
} satisfies Record<keyof OperationView, unknown>;

const operation = named('Operation', objectOf<OperationView>(operationFields, reportFields));

const channel = objectOf<ChannelView>(
  {
    status: meaning<ChannelStatus>({
      pending: 'not all of it has an outcome',
      sent: 'all of it went out',
      partiallySent: 'some of it went out',
      bounced: 'it went out and came back',
      failed: 'nothing of it went out',
      optedOut: 'the recipient does not want it here',
      noAddress: 'the recipient has no address for it',
      addressBounced: 'mail to the address came back: there is no such mailbox',
      notAvailable: 'this installation has no such channel',
      couldNotPrepare: 'preparing it failed',
      discarded: 'another channel could not be prepared',
    }),
    reason: oneOf(['notChosen', 'belowMinSeverity']),
    failures: texts,
    operations: arrayOf(operation),
  },
  ['reason', 'failures'],
);

const about = objectOf<About>({ processId: nullable(text), entityType: nullable(text), entityId: nullable(text) });

export const notificationSchema = named(
  'Notification',
  objectOf<NotificationView>(
    {
      id: uuid,
      recipientId: text,
      category: text,
      severity: oneOf(severities),
      subject: { type: 'string', description: '`[erased]` once the recipient is erased.' },
      status: meaning<NotificationStatus>({
        requested: 'not decided yet',
        scheduled: 'waits for its time',
        sending: 'is being sent',
        sent: 'all of it went out',
        partiallySent: 'some of it went out',
        failed: 'nothing went out',
        optedOut: 'the recipient does not want it',
        cancelled: 'somebody cancelled it before anything went out',
        expired: 'its time was over before anything went out',
      }),
      reason: {
        ...nullable(text),
        description: `Why it failed: ${failureReasons.join(', ')}; or cancelled, expired, optedOut, couldNotSendOnAllChannels.`,
      },
      decision: nullable(decision),
      requestedAt: time,
      completedAt: { ...nullable(time), description: 'Null while something may still become of it.' },
      deliverAt: nullable(time),
      channels: {
        type: 'object',
        properties: { email: channel, slack: channel },
        additionalProperties: false,
      },
      about: nullable(about),
      tags: recordOf(text),
      sandbox: { ...flag, description: 'Nothing has left the house.' },
      broadcastId: nullable(uuid),
      delivery: {
        ...objectOf<DeliveryView>({
          bounced: { ...count, description: 'Addresses that a mail came back from.' },
          delayed: { ...count, description: 'Addresses that a mail was late for, or still is.' },
        }),
        description: 'What was reported after it was sent. How it ended does not change by that.',
      },
      escalation: nullable(
        objectOf<InternalTeamNotified>({
          operationId: { ...uuid, description: 'Of the mail that tells the team of the failure.' },
          at: time,
        }),
      ),
      revision: { ...count, description: 'Of the event stream that it shows.' },
      position,
    },
    ['delivery'],
  ),
);

export const snapshotSchema = named(
  'NotificationSnapshot',
  objectOf<NotificationSnapshot>({
    foldVersion: count,
    revision: { type: 'string', description: 'Of the event stream that it was folded up to.' },
    state: { type: 'object' },
  }),
);

export const contentSchema = named(
  'NotificationContent',
  objectOf<ContentView>({
    subject: text,
    text,
    html: nullable(text),
    slack: { ...nullable({ type: 'object' }), description: 'As it was given.' },
    attachments: arrayOf(
      objectOf<ContentView['attachments'][number]>({
        fileName: text,
        mediaType: text,
        size: { ...count, description: 'In bytes.' },
        contentId: { ...nullable(text), description: 'Of an image that the HTML shows as `cid:<contentId>`.' },
      }),
    ),
  }),
);
