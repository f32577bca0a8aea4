import type { Mailbox } from './email-message.js';

const lineLength = 76;
/** Bytes per encoded-word: 64 characters of text then, which fit on one line after any header name we write. */
const wordBytes = 39;
const atom = "[\\w!#$%&'*+/=?^`{|}~-]+";
const atoms = new RegExp(`^${atom}(?: ${atom})*$`);
const printableWords = /^[!-~]+(?: [!-~]+)*$/;
const control = /\p{Cc}/u;

/** True where text could end a header line or otherwise confuse a parser. */
export function hasControlCharacters(text: string): boolean {
  return control.test(text);
}

/** A header of free text, as encoded-words (RFC 2047) unless it is short and plain. */
export function textHeader(name: string, text: string): string {
  return staysPlain(text, lineLength - name.length - 2) ? `${name}: ${text}` : folded(name, encodedWords(text));
}

/** A header of mailboxes (RFC 5322), folded. */
export function mailboxHeader(name: string, mailboxes: readonly Mailbox[]): string {
  const last = mailboxes.length - 1;
  const tokens = mailboxes.flatMap(({ address, name: displayName }, index) => {
    const comma = index < last ? ',' : '';
    return displayName ? [...phrase(displayName), `<${address}>${comma}`] : [address + comma];
  });
  return folded(name, tokens);
}

/** A file name as parameter of Content-Disposition, in pieces where it is long (RFC 2231). */
export function fileNameParameter(fileName: string): string {
  if (fileName.length <= 60 && /^[\w.+() -]*$/.test(fileName)) return `filename="${fileName}"`;
  const pieces: string[] = [''];
  for (const char of fileName) {
    const encoded = percentEncoded(char);
    if (pieces.at(-1)!.length + encoded.length > 50) pieces.push('');
    pieces[pieces.length - 1] += encoded;
  }
  if (pieces.length === 1) return `filename*=UTF-8''${pieces[0]}`;
  return pieces.map((piece, index) => `filename*${index}*=${index === 0 ? "UTF-8''" : ''}${piece}`).join(';\r\n ');
}

/** Base64 in lines of 76 characters. */
export function base64Lines(bytes: Buffer): string {
  const encoded = bytes.toString('base64');
  const lines: string[] = [];
  for (let start = 0; start < encoded.length; start += lineLength) lines.push(encoded.slice(start, start + lineLength));
  return lines.join('\r\n');
}

function staysPlain(text: string, room: number): boolean {
  return text === '' || (text.length <= room && printableWords.test(text) && !text.includes('=?'));
}

function phrase(name: string): string[] {
  if (!staysPlain(name, 60)) return encodedWords(name);
  return [atoms.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`];
}

function encodedWords(text: string): string[] {
  const words: string[] = [];
  let part = '';
  let bytes = 0;
  const flush = (): void => {
    words.push(`=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`);
  };
  for (const char of text) {
    const size = Buffer.byteLength(char);
    if (bytes + size > wordBytes) {
      flush();
      part = '';
      bytes = 0;
    }
    part += char;
    bytes += size;
  }
  flush();
  return words;
}

function folded(name: string, tokens: readonly string[]): string {
  let header = `${name}:`;
  let column = header.length;
  for (const token of tokens) {
    const fits = column + 1 + token.length <= lineLength;
    header += fits ? ` ${token}` : `\r\n ${token}`;
    column = (fits ? column : 0) + 1 + token.length;
  }
  return header;
}

function percentEncoded(char: string): string {
  if (/^[\w.-]$/.test(char)) return char;
  return Buffer.from(char).toString('hex').toUpperCase().replace(/../g, '%$&');
}
