import { buildMessage, isEmail, ValidateBy, type ValidationOptions } from 'class-validator';
import { domainToASCII } from 'node:url';
import type { Class } from './class.js';
import type { JsonSchema } from './json-schema/json-schema.js';
import { withSchema } from './json-schema/rules.js';

/** Control characters, line and paragraph separators, half surrogate pairs. */
const unsafe = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** True for text that can stand in a mail or HTTP header, on a terminal and in a log line. */
export function isHeaderSafe(value: unknown): value is string {
  return typeof value === 'string' && !unsafe.test(value);
}

/**
 * True for a bare mail address: `local@domain`, the domain with a dot and possibly international, the local part ASCII and
 * at most 64 bytes, and all at most 254. No display name, quoted local part, comment, address literal or invisible
 * character. Not every mail server takes other local parts (RFC 6531), so no mail goes to them.
 */
export function isEmailAddress(value: unknown): value is string {
  if (typeof value !== 'string' || /[\p{C}\p{Z}"]/u.test(value)) return false;
  const domainAt = value.lastIndexOf('@') + 1;
  // As it goes over the wire. Some characters become one that no host name has, such as a bracket.
  const wireForm = value.slice(0, domainAt) + domainToASCII(value.slice(domainAt));
  return isMailAddress(value) && isMailAddress(wireForm) && wireForm.length <= 254;
}

/** The same for two addresses of one mailbox: without regard to case, and to how the domain is written. */
export function comparableEmailAddress(address: string): string {
  const text = address.normalize('NFC').toLowerCase();
  const domainAt = text.lastIndexOf('@') + 1;
  const domain = text.slice(domainAt);
  return text.slice(0, domainAt) + (domainToASCII(domain) || domain);
}

function isMailAddress(text: string): boolean {
  return isEmail(text, { allow_utf8_local_part: false });
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** True for an RFC 3339 timestamp of a day that exists: `2026-02-28T23:59:59.5+02:00`. No leap seconds. */
export function isRfc3339(value: unknown): value is string {
  const match = typeof value === 'string' ? rfc3339.exec(value) : null;
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** True for at most 50 tags: keys of 1 to 64 characters, values of up to 256, both safe in headers. */
export function isTags(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= 50 && entries.every(([key, text]) => isTagKey(key) && isHeaderSafe(text) && text.length <= 256)
  );
}

function isTagKey(key: string): boolean {
  return key.length >= 1 && key.length <= 64 && key !== '__proto__' && isHeaderSafe(key);
}

/**
 * True for an id that another system chose: 1 to 200 characters, visible or inner spaces. No slash or backslash and not
 * `.` or `..`, which proxies rewrite in a path even when they are percent-encoded.
 */
export function isId(value: unknown): value is string {
  if (typeof value !== 'string' || value.length < 1 || value.length > 200 || value === '.' || value === '..')
    return false;
  return !/[\p{C}\p{Zl}\p{Zp}/\\]/u.test(value) && value.trim() === value;
}

/** See `isHeaderSafe`. */
export function IsHeaderSafe(options?: ValidationOptions): PropertyDecorator {
  return by(
    'isHeaderSafe',
    isHeaderSafe,
    'must be text without line breaks or control characters',
    { type: 'string' },
    options,
  );
}

/** See `isEmailAddress`. */
export function IsEmailAddress(options?: ValidationOptions): PropertyDecorator {
  return by(
    'isEmailAddress',
    isEmailAddress,
    'must be a mail address like name@example.com, with nothing but ASCII before the @',
    { type: 'string', maxLength: 254 },
    options,
  );
}

/** See `isRfc3339`. */
export function IsRfc3339(options?: ValidationOptions): PropertyDecorator {
  return by(
    'isRfc3339',
    isRfc3339,
    'must be an RFC 3339 time like 2026-01-31T12:00:00Z',
    { type: 'string', format: 'date-time' },
    options,
  );
}

/** See `isTags`. */
export function IsTags(options?: ValidationOptions): PropertyDecorator {
  return by(
    'isTags',
    isTags,
    'must be an object of at most 50 texts of up to 256 characters under keys of 1 to 64, without control characters',
    {
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 256 },
      propertyNames: { minLength: 1, maxLength: 64 },
      maxProperties: 50,
    },
    options,
  );
}

/** See `isId`. */
export function IsId(options?: ValidationOptions): PropertyDecorator {
  return by(
    'isId',
    isId,
    'must be an id of 1 to 200 printable characters without slashes',
    { type: 'string', minLength: 1, maxLength: 200 },
    options,
  );
}

export const IS_RECORD_OF = 'isRecordOf';

/** An object whose values are all of one class, under keys of 1 to 64 header-safe characters. */
export function IsRecordOf(type: () => Class, maxEntries = 50): PropertyDecorator {
  return ValidateBy(
    {
      name: IS_RECORD_OF,
      constraints: [type, maxEntries],
      validator: {
        validate: (value: unknown) =>
          typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).every(isTagKey),
        defaultMessage: () => 'must be an object with keys of 1 to 64 characters, without control characters',
      },
    },
    withSchema({ type: 'object', propertyNames: { minLength: 1, maxLength: 64 } }),
  );
}

export const IS_UNION_OF = 'isUnionOf';

/** The classes of a union, by the value of the field that tells them apart. */
export type Variants = Readonly<Record<string, Class>>;

/** An object of the class that its field `discriminator` names; with `{ each: true }` an array of such objects. */
export function IsUnionOf(
  discriminator: string,
  variants: () => Variants,
  options?: ValidationOptions,
): PropertyDecorator {
  return ValidateBy(
    {
      name: IS_UNION_OF,
      constraints: [discriminator, variants],
      // That it is an object, and of which class, is checked with what stands in it.
      validator: { validate: () => true },
    },
    options,
  );
}

function by(
  name: string,
  validate: (value: unknown) => boolean,
  message: string,
  schema: JsonSchema,
  options: ValidationOptions | undefined,
): PropertyDecorator {
  const defaultMessage = buildMessage((eachPrefix) => `${eachPrefix}$property ${message}`, options);
  return ValidateBy({ name, validator: { validate, defaultMessage } }, withSchema(schema, options));
}
