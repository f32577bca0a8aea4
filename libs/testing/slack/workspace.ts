import { randomBytes } from 'node:crypto';

/** An answer of the Web API. */
export type Answer = { readonly ok: boolean; readonly error?: string } & Readonly<Record<string, unknown>>;

type Arguments = Readonly<Record<string, string>>;

export interface PostedMessage {
  readonly channel: string;
  readonly ts: string;
  /** As they came, in the form's own texts. */
  readonly arguments: Arguments;
}

/** A file that stands in a channel. */
export interface SharedFile {
  readonly id: string;
  readonly fileName: string;
  readonly title: string | undefined;
  readonly channel: string;
  readonly threadTs: string | undefined;
  readonly content: Buffer;
}

interface Upload {
  readonly id: string;
  readonly fileName: string;
  readonly length: number;
  content?: Buffer;
}

const longestText = 40_000;

/** What there is in a Slack workspace, and what its Web API does to it. */
export class Workspace {
  readonly messages: PostedMessage[] = [];
  readonly files: SharedFile[] = [];
  /** By the path of the upload URL. */
  readonly #uploads = new Map<string, Upload>();

  /** @param channels those there are; any when left out */
  constructor(private readonly channels: ReadonlySet<string> | undefined) {}

  call(method: string, given: Arguments, apiUrl: string): Answer {
    switch (method) {
      case 'chat.postMessage':
        return this.#post(given);
      case 'files.getUploadURLExternal':
        return this.#announce(given, apiUrl);
      case 'files.completeUploadExternal':
        return this.#complete(given);
      default:
        return refusal('unknown_method');
    }
  }

  /** Answers as the host of uploads does. */
  upload(path: string, content: Buffer): string {
    const upload = this.#uploads.get(path);
    if (upload?.length !== content.length) return 'file does not match';
    upload.content = content;
    return `OK - ${content.length}`;
  }

  #post(given: Arguments): Answer {
    const { channel = '', text = '', blocks } = given;
    if (!this.#has(channel)) return refusal('channel_not_found');
    if (text === '' && blocks === undefined) return refusal('no_text');
    if (text.length > longestText) return refusal('msg_too_long');
    if (blocks !== undefined && !isList(blocks)) return refusal('invalid_blocks_format');
    const ts = `1700000000.${String(this.messages.length + 1).padStart(6, '0')}`;
    this.messages.push({ channel, ts, arguments: given });
    return { ok: true, channel, ts, message: { type: 'message', text, ts } };
  }

  #announce({ filename = '', length = '' }: Arguments, apiUrl: string): Answer {
    if (filename === '' || !/^[1-9]\d*$/.test(length)) return refusal('invalid_arguments');
    const id = `F${String(this.#uploads.size + 1).padStart(8, '0')}`;
    const url = new URL(`/upload/v1/${randomBytes(12).toString('hex')}`, apiUrl);
    this.#uploads.set(url.pathname, { id, fileName: filename, length: Number(length) });
    return { ok: true, upload_url: url.href, file_id: id };
  }

  #complete({ files = '', channel_id: channel, thread_ts: threadTs }: Arguments): Answer {
    if (!isList(files)) return refusal('invalid_arguments');
    if (channel === undefined || !/^[CDGUW][A-Z0-9]+$/.test(channel)) return refusal('invalid_channel');
    if (!this.#has(channel)) return refusal('channel_not_found');
    const wanted = JSON.parse(files) as { readonly id: string; readonly title?: string }[];
    const shared: SharedFile[] = [];
    for (const { id, title } of wanted) {
      const upload = [...this.#uploads.values()].find((one) => one.id === id);
      if (upload?.content === undefined) return refusal('file_not_found');
      shared.push({ id, fileName: upload.fileName, title, channel, threadTs, content: upload.content });
    }
    this.files.push(...shared);
    return { ok: true, files: shared.map(({ id, title }) => ({ id, title })) };
  }

  #has(channel: string): boolean {
    return channel !== '' && (this.channels?.has(channel) ?? true);
  }
}

function refusal(error: string): Answer {
  return { ok: false, error };
}

function isList(json: string): boolean {
  try {
    return Array.isArray(JSON.parse(json));
  } catch {
    return false;
  }
}
