import type { SealedBlobs } from '#libs/blob';
import type { Content, ContentAttachment, Contents, EmailOptions, SlackOptions, StoredBlob } from '#libs/content';
import type { StreamReader } from '#libs/runtime';
import type { uploadEvents } from '#libs/upload';
import { KeyDestroyed, type Vault } from '#libs/vault';
import { rfc3339 } from '../event/time.js';
import type { SendNotification } from '../operations/client.js';
import { findAttachments, storeAttachments } from './attachments.js';
import type { ContentDto, EmailOptionsDto, MessageDto, SlackOptionsDto } from './post-notification.dto.js';

export interface SealServices {
  readonly client: StreamReader<typeof uploadEvents>;
  readonly vault: Vault;
  readonly blobs: SealedBlobs;
  readonly contents: Contents;
}

const defaultCategory = 'general';
const noBody = { category: null, severity: null, about: null, tags: null, deliverAt: null, expiresAt: null } as const;

/**
 * What a request says, whoever is told: sealed under the owner's key, attachments and large content as blobs.
 * @param id names the blobs
 * @param now milliseconds since the Unix epoch
 * @throws Problem 422 – a blob that is attached is not known –, StoreUnavailable
 */
export async function sealRequest(
  services: SealServices,
  owner: string,
  id: string,
  dto: MessageDto,
  now: number,
): Promise<Omit<SendNotification, 'recipientId'>> {
  const { content } = dto;
  const { category, severity, about, tags, deliverAt, expiresAt } = { ...noBody, ...dto };
  for (;;) {
    try {
      const { vault, contents } = services;
      const sources = await findAttachments(services, content, now);
      const attachments = await storeAttachments(services, owner, id, content.attachments ?? [], sources);
      const sealed = await contents.seal(owner, `${id}-content`, contentOf(content, attachments));
      return {
        category: category ?? defaultCategory,
        severity: severity ?? 'info',
        subject:
          vault.sealNow(owner, 'subject', content.subject) ?? (await vault.sealFor(owner, 'subject', content.subject)),
        content: sealed,
        ...blobsOf(attachments, sealed.blob),
        about: about && { processId: null, entityType: null, entityId: null, ...about },
        tags: tags ?? {},
        deliverAt: utc(deliverAt),
        expiresAt: utc(expiresAt),
      };
    } catch (error) {
      // The recipient is being erased: what is accepted from now on is sealed under a new key. Or an upload is being
      // removed: it is found no more.
      if (!(error instanceof KeyDestroyed)) throw error;
    }
  }
}

/** Refuses a request that attaches an upload which is not known; undefined where it attaches none. */
export function uploadsCheck(
  services: SealServices,
  { content }: MessageDto,
  now: number,
): (() => Promise<void>) | undefined {
  if (!content.attachments?.some(({ blobId }) => blobId != null)) return undefined;
  return async () => {
    await findAttachments(services, content, now);
  };
}

function blobsOf(
  attachments: readonly ContentAttachment[],
  content: StoredBlob | undefined,
): Pick<SendNotification, 'attachments' | 'blobs'> {
  const blobs = [...attachments.map(({ blob }) => blob), ...(content ? [content] : [])];
  return {
    ...(attachments.length > 0 && { attachments: attachments.length }),
    ...(blobs.length > 0 && { blobs }),
  };
}

function contentOf(dto: ContentDto, attachments: readonly ContentAttachment[]): Content {
  const { subject, text, html, email, slack } = dto;
  return {
    subject,
    text,
    ...(html && { html }),
    ...(email && { email: withoutNulls(email) }),
    ...(slack && { slack: slackOptions(slack) }),
    ...(attachments.length > 0 && { attachments }),
  };
}

/** Blocks are Slack's: null in them stays as it is. */
function slackOptions(options: SlackOptionsDto): SlackOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

/** At any depth: to clients null is absent, inside it is not. */
function withoutNulls(options: EmailOptionsDto): EmailOptions {
  return JSON.parse(JSON.stringify(options), (_key, value: unknown) => value ?? undefined) as EmailOptions;
}

function utc(time: string | null | undefined): string | null {
  return time == null ? null : rfc3339(Date.parse(time));
}
