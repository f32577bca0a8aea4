import type { Contents } from '#libs/content';
import { correlationOf, deriveId, isUuid, type RecordOf } from '#libs/kernel';
import { loadAggregate, metadataAfter, type ClientContext } from '#libs/runtime';
import { WrongExpectedRevision } from '#libs/store/port';
import { KeyDestroyed, type Vault } from '#libs/vault';
import { emailEvents } from '../event/email-events.js';
import { emailReports, reportName, type ReportCommand, type ReportKind } from '../event/email-reports.js';
import { emailOperations } from '../operations/email-operations.js';
import { messageIdFor } from '../transport/index.js';
import type { BounceAddresses } from './bounce-addresses.js';
import { MalformedReport, type ReportedAction, type ReportedRecipient } from './delivery-status.js';
import { placeOf } from './place-of.js';
import { readReturnedMail } from './returned-mail.js';

/** Why something that was reported is not on record. */
export const ignoredReasons = ['notAReport', 'noFailure', 'unknownMail', 'recipientErased'] as const;
export type IgnoredReason = (typeof ignoredReasons)[number];

/** What became of a report, by address; `malformed` counts for the whole of it. */
export const bounceKinds = ['bounced', 'delayed', 'repeated', 'malformed', ...ignoredReasons] as const;
export type BounceKind = (typeof bounceKinds)[number];

/** What a report came to. All of it is durable. */
export interface BounceAnswer {
  /** Of the mail; null where it is not known. */
  readonly operationId: string | null;
  /** Events written. */
  readonly recorded: number;
  /** Addresses of which the same was on record before. */
  readonly repeated: number;
  /** Each reason once. */
  readonly ignored: readonly IgnoredReason[];
}

export interface BounceServices {
  readonly client: ClientContext<typeof emailOperations | typeof emailEvents, typeof emailEvents>;
  readonly vault: Vault;
  readonly contents: Contents;
  /** The addresses that mails come back to; undefined: they come back to their sender. */
  readonly bounces: BounceAddresses | undefined;
  /** Is told of each report. */
  observe(kind: BounceKind, operationId: string | null): void;
}

type Operation = RecordOf<typeof emailOperations>;

const mostTries = 10;
const kindOf: Readonly<Partial<Record<ReportedAction, ReportKind>>> = { failed: 'bounced', delayed: 'delayed' };

/**
 * Takes what mail servers report, however it comes in, and answers when it is on disk. Repeated, a report adds nothing.
 * Every method throws `Refused` for a mail that has no outcome yet, or was never sent, and `StoreUnavailable`.
 */
export class BounceIntake {
  constructor(private readonly services: BounceServices) {}

  /**
   * A mail that came back.
   * @param bytes its beginning at least, with the report
   * @param operationId as the envelope has it; otherwise it is looked for in the mail
   * @throws MalformedReport
   */
  async takeMail(bytes: Uint8Array, operationId?: string): Promise<BounceAnswer> {
    const { observe } = this.services;
    try {
      const mail = await readReturnedMail(bytes);
      const id = operationId ?? (await this.operationOf(mail.sentTo, mail.originalMessageId));
      if (mail.recipients === null) return this.ignored('notAReport', id);
      return id === undefined ? this.ignored('unknownMail') : await this.take(id, mail.recipients);
    } catch (error) {
      if (error instanceof MalformedReport) observe('malformed', operationId ?? null);
      throw error;
    }
  }

  /** What a report says, already taken apart. */
  async take(operationId: string, recipients: readonly ReportedRecipient[]): Promise<BounceAnswer> {
    const operation = await this.find(operationId);
    if (operation === undefined) return this.ignored('unknownMail');
    const ignored = new Set<IgnoredReason>();
    const commands = new Map<string, ReportCommand>();
    for (const recipient of recipients) {
      const command = await this.commandOf(recipient, operation);
      if (typeof command === 'string') ignored.add(command);
      else commands.set(reportName(command.kind, command.report), command);
    }
    const recorded = commands.size === 0 ? [] : await this.record(operationId, operation, [...commands.values()]);
    const repeated = commands.size - recorded.length;
    for (const kind of recorded) this.services.observe(kind, operationId);
    for (let left = repeated; left > 0; left -= 1) this.services.observe('repeated', operationId);
    for (const reason of ignored) this.services.observe(reason, operationId);
    return { operationId, recorded: recorded.length, repeated, ignored: [...ignored] };
  }

  /** The operation whose mail has this Message-ID; undefined where there is none. @throws InvalidRecord */
  async operationOfMessage(messageId: string | undefined): Promise<string | undefined> {
    const operationId = /^<?([^@<>]+)@/.exec(messageId?.trim() ?? '')?.[1];
    if (operationId === undefined) return undefined;
    const operation = await this.find(operationId);
    if (operation === undefined) return undefined;
    const { address } = operation.data.sender;
    const expected = messageIdFor(operationId, address.slice(address.lastIndexOf('@') + 1));
    return expected.slice(1, -1) === messageId!.trim().replace(/^<|>$/g, '') ? operationId : undefined;
  }

  private async operationOf(sentTo: string, messageId: string | undefined): Promise<string | undefined> {
    return (await this.services.bounces?.operationIn(sentTo)) ?? (await this.operationOfMessage(messageId));
  }

  private async find(operationId: string): Promise<Operation | undefined> {
    if (!isUuid(operationId)) return undefined;
    const [operation] = await this.services.client.read(emailOperations, operationId, { limit: 1 });
    return operation;
  }

  private ignored(reason: IgnoredReason, operationId: string | null = null): BounceAnswer {
    this.services.observe(reason, operationId);
    return { operationId, recorded: 0, repeated: 0, ignored: [reason] };
  }

  private async commandOf(reported: ReportedRecipient, { data }: Operation): Promise<ReportCommand | IgnoredReason> {
    const kind = kindOf[reported.action];
    if (kind === undefined) return 'noFailure';
    const { vault } = this.services;
    const like = data.to[0]!.address;
    try {
      const { address, ...place } = await placeOf(reported.addresses, data, this.services);
      const { status, diagnostic } = reported;
      const report = {
        ...place,
        address: await vault.sealWithKeyOf(like, 'address', address),
        status,
        diagnostic: diagnostic === null ? null : await vault.sealWithKeyOf(like, 'error', diagnostic),
      };
      return { type: 'report', kind, report };
    } catch (error) {
      if (error instanceof KeyDestroyed) return 'recipientErased';
      throw error;
    }
  }

  /** The kinds of what was not on record before. */
  private async record(id: string, operation: Operation, commands: readonly ReportCommand[]): Promise<ReportKind[]> {
    const { client } = this.services;
    for (let tries = 1; ; tries += 1) {
      const { state, revision } = await loadAggregate(client, emailEvents, emailReports, id);
      const fresh = commands.flatMap((command) =>
        emailReports.decide(state, command).map((event) => ({ command, event })),
      );
      if (fresh.length === 0) return [];
      try {
        const events = fresh.map(({ event }) => event);
        await client.append(emailEvents, id, revision, events, {
          correlationId: correlationOf(operation),
          // The same report always makes the same event.
          ids: fresh.map(({ command: { kind, report } }) => deriveId(id, reportName(kind, report), 0)),
          metadata: metadataAfter(operation),
        });
        return fresh.map(({ command }) => command.kind);
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision) || tries === mostTries) throw error;
      }
    }
  }
}
