import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBase64,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import {
  Components,
  IsEmailAddress,
  IsHeaderSafe,
  IsId,
  IsRecordOf,
  IsRfc3339,
  isRfc3339,
  IsTags,
  IsUnionOf,
  jsonSchemaOf,
  named,
  Type,
  validate,
  type JsonSchema,
} from '../index.js';

class PartDto {
  @IsString()
  name!: string;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => PartDto)
  parts?: PartDto[] | null;
}

class Circle {
  @IsIn(['circle'])
  kind!: 'circle';

  @IsInt()
  radius!: number;
}

class Square {
  @IsIn(['square'])
  kind!: 'square';
}

class SampleDto {
  @IsString()
  @IsNotEmpty()
  @MaxLength(5)
  text!: string;

  @IsOptional()
  @IsBoolean()
  flag?: boolean | null;

  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(9)
  count?: number | null;

  @IsOptional()
  @IsIn(['a', 'b'])
  letter?: string | null;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(2)
  @ArrayUnique()
  @IsId({ each: true })
  ids?: string[] | null;

  @IsOptional()
  @IsUUID('all', { each: true })
  uuids?: string[] | null;

  @IsOptional()
  @IsObject()
  anything?: object | null;

  @IsOptional()
  @IsBase64()
  bytes?: string | null;

  @IsOptional()
  @Matches(/^:[a-z]+:$/, { message: 'must be an emoji like :bell:' })
  emoji?: string | null;

  @IsOptional()
  @IsEmailAddress()
  address?: string | null;

  @IsOptional()
  @IsHeaderSafe()
  line?: string | null;

  @IsOptional()
  @IsRfc3339()
  at?: string | null;

  @IsOptional()
  @IsTags()
  tags?: Record<string, string> | null;

  @IsOptional()
  @ValidateNested()
  @Type(() => PartDto)
  part?: PartDto | null;

  @IsOptional()
  @IsRecordOf(() => PartDto, 2)
  partsByName?: Record<string, PartDto> | null;

  @IsOptional()
  @IsUnionOf('kind', () => ({ circle: Circle, square: Square }), { each: true })
  shapes?: (Circle | Square)[] | null;

  @ValidateIf(({ text }: SampleDto) => text !== 'none')
  @IsString()
  needed?: string | null;

  @IsOptional()
  @ValidateBy({ name: 'isOdd', validator: { validate: () => true, defaultMessage: () => 'must be odd' } })
  custom?: unknown;
}

const components = new Components();
const root = components.refer(jsonSchemaOf(SampleDto)) as JsonSchema;
const ajv = new Ajv2020({
  strictTypes: false,
  formats: { uuid: /^[0-9a-f-]{36}$/i, 'date-time': isRfc3339 },
  keywords: ['components'],
});
const isValid = ajv.compile({ allOf: [root], components: { schemas: components.schemas } });

const part = { name: 'a', parts: [{ name: 'b' }, { name: 'c', parts: null }] };
const uuid = '01a1fea6-1c05-7001-9b3f-2b26ea03c6cf';

const good: readonly object[] = [
  {},
  { text: 'none', needed: null },
  { flag: true, count: 1, letter: 'a', anything: {}, bytes: 'aGVsbG8=', emoji: ':bell:', line: 'x' },
  { flag: null, count: null, letter: null, ids: null, anything: null, part: null, shapes: null, tags: null },
  { ids: ['a', 'b'], uuids: [uuid], address: 'ada@example.com', at: '2026-01-01T00:00:00Z', tags: { a: 'b' } },
  { part, partsByName: { x: part }, shapes: [{ kind: 'circle', radius: 1 }, { kind: 'square' }], custom: 7 },
];

const bad: readonly object[] = [
  { text: '' },
  { text: 'longer than five' },
  { text: null },
  { unknown: 1 },
  { flag: 'yes' },
  { count: 0 },
  { count: 10 },
  { count: 1.5 },
  { letter: 'c' },
  { ids: [] },
  { ids: ['a', 'a'] },
  { ids: ['a', 'b', 'c'] },
  { ids: [''] },
  { uuids: ['a'] },
  { uuids: uuid },
  { anything: [] },
  { emoji: 'bell' },
  { address: 7 },
  { line: 7 },
  { at: 'tomorrow' },
  { tags: { a: 1 } },
  { tags: { '': 'a' } },
  { part: {} },
  { part: { name: 'a', parts: [{ name: 1 }] } },
  { partsByName: { x: {} } },
  { partsByName: { x: part, y: part, z: part } },
  { shapes: [{ kind: 'line' }] },
  { shapes: [{ kind: 'circle' }] },
];

describe('a class as a JSON Schema', () => {
  test.each(good.map((data) => [JSON.stringify(data), data] as const))('takes %s, as validate does', (_, data) => {
    const whole = { text: 'abc', needed: 'x', ...data };
    expect(validate(SampleDto, whole)).toEqual([]);
    isValid(whole);
    expect(isValid.errors).toBeNull();
  });

  test.each(bad.map((data) => [JSON.stringify(data), data] as const))('refuses %s, as validate does', (_, data) => {
    const whole = { text: 'abc', needed: 'x', ...data };
    expect(validate(SampleDto, whole)).not.toEqual([]);
    expect(isValid(whole)).toBe(false);
  });

  test('says in words what it cannot say otherwise', () => {
    const { properties } = components.schemas['Sample'] as { properties: Record<string, JsonSchema> };
    expect(properties['emoji']).toMatchObject({ pattern: '^:[a-z]+:$', description: 'must be an emoji like :bell:' });
    expect(properties['custom']).toMatchObject({ anyOf: [{ description: 'must be odd' }, { type: 'null' }] });
  });

  test('asks for what is not optional', () => {
    expect(components.schemas['Sample']).toMatchObject({ required: ['text'], additionalProperties: false });
  });
});

test('a document has one schema of a name', () => {
  const other = new Components();
  other.refer(jsonSchemaOf(PartDto));
  other.refer([jsonSchemaOf(PartDto)]);
  expect(Object.keys(other.schemas)).toEqual(['Part']);
  expect(() => other.refer(named('Part', {}))).toThrow('two schemas are called Part');
});
