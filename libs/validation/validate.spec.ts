import { describe, expect, test } from '@jest/globals';
import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { IsId, IsRecordOf, IsTags, IsUnionOf, problemsOf, schemaOf, validate } from './index.js';

class Attachment {
  @IsString() @MaxLength(10) fileName!: string;
}

class Content {
  @IsString() @IsNotEmpty() subject!: string;
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Attachment) @ArrayMaxSize(2) attachments?: Attachment[];
  @IsOptional() @ValidateNested() @Type(() => Content) alternative?: Content;
}

class Limit {
  @IsInt() count!: number;
}

class Base {
  @IsId() recipientId!: string;
}

class Body extends Base {
  @ValidateNested() @Type(() => Content) content!: Content;
  @IsOptional() @IsTags() tags?: Record<string, string> | null;
  @IsOptional() @IsIn(['a', 'b']) letter?: string;
  @IsOptional() @IsString({ each: true }) names?: string[];
  @IsOptional() @IsRecordOf(() => Limit, 2) limits?: Record<string, Limit>;
  @ValidateIf((body: Body) => body.letter === 'a') @IsInt() number?: number;
  @Allow() free?: unknown;
}

const valid = { recipientId: 'user-42', content: { subject: 'Hello' } };

describe('valid data', () => {
  test.each([
    ['the least', valid],
    ['absent as null', { ...valid, tags: null, content: { subject: 'x', attachments: null } }],
    [
      'everything',
      {
        ...valid,
        content: { subject: 'x', attachments: [{ fileName: 'a' }], alternative: { subject: 'y' } },
        tags: { a: 'b' },
        letter: 'a',
        number: 5,
        names: ['x'],
        limits: { a: { count: 1 } },
        free: { any: [1] },
      },
    ],
  ])('%s', (_, data) => {
    expect(validate(Body, data)).toEqual([]);
  });
});

describe('problems', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['null', null, '', /must be an object/],
    ['an array', [valid], '', /must be an object/],
    ['a text', 'x', '', /must be an object/],
    ['undefined', undefined, '', /must be an object/],
    ['a missing field', { content: valid.content }, 'recipientId', /is required/],
    ['a missing object', { recipientId: 'x' }, 'content', /is required/],
    ['null where it must not be', { ...valid, content: null }, 'content', /must be an object/],
    ['an array for an object', { ...valid, content: [] }, 'content', /must be an object/],
    ['a wrong type', { ...valid, content: { subject: 5 } }, 'content.subject', /^subject must be a string$/],
    ['no conversion', { ...valid, letter: 'a', number: '5' }, 'number', /must be an integer/],
    ['a condition', { ...valid, letter: 'a' }, 'number', /is required/],
    ['a wrong value', { ...valid, letter: 'c' }, 'letter', /must be one of the following values: a, b/],
    ['an unknown field', { ...valid, extra: 1 }, 'extra', /not a known field/],
    [
      'an unknown nested field',
      { ...valid, content: { subject: 'x', extra: 1 } },
      'content.extra',
      /not a known field/,
    ],
    ['an odd field name', { ...valid, 'a b': 1 }, '["a b"]', /not a known field/],
    [
      'constructor',
      JSON.parse('{"recipientId":"x","content":{"subject":"x","constructor":{"prototype":{}}}}'),
      'content.constructor',
      /known/,
    ],
    [
      '__proto__',
      JSON.parse('{"recipientId":"x","content":{"subject":"x","__proto__":{"a":1}}}'),
      'content.__proto__',
      /known/,
    ],
    [
      'an object for an array',
      { ...valid, content: { subject: 'x', attachments: {} } },
      'content.attachments',
      /array/,
    ],
    [
      'a bad item',
      { ...valid, content: { subject: 'x', attachments: [{ fileName: 'a' }, { fileName: 'a'.repeat(11) }] } },
      'content.attachments[1].fileName',
      /shorter than or equal to 10/,
    ],
    [
      'a null item',
      { ...valid, content: { subject: 'x', attachments: [null] } },
      'content.attachments[0]',
      /must be an object/,
    ],
    [
      'too many items',
      { ...valid, content: { subject: 'x', attachments: [1, 2, 3] } },
      'content.attachments',
      /no more than 2/,
    ],
    ['a bad text in a list', { ...valid, names: ['a', 5] }, 'names', /each value in names must be a string/],
    ['a text for a list', { ...valid, names: 'abc' }, 'names', /must be an array/],
    ['a bad record', { ...valid, limits: { a: { count: 'x' } } }, 'limits.a.count', /integer/],
    ['a list for a record', { ...valid, limits: [] }, 'limits', /must be an object/],
    [
      'too many entries',
      { ...valid, limits: { a: { count: 1 }, b: { count: 1 }, c: { count: 1 } } },
      'limits',
      /more than 2/,
    ],
    [
      'recursion',
      { ...valid, content: { subject: 'x', alternative: { subject: '' } } },
      'content.alternative.subject',
      /not be empty/,
    ],
  ])('%s', (_, data, path, message) => {
    expect(validate(Body, data)).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  test('no value is told', () => {
    expect(
      JSON.stringify(validate(Body, { recipientId: 'se\ncret', content: { subject: ['secret'] }, letter: 'secret' })),
    ).not.toContain('secret');
  });

  test('there are at most a hundred', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]));
    expect(validate(Body, many)).toHaveLength(100);
  });
});

test('a schema gives lines of text', () => {
  expect(schemaOf(Body).problems(valid)).toEqual([]);
  expect(problemsOf(Body, { ...valid, extra: 1 })).toEqual(['extra: is not a known field']);
  expect(problemsOf(Body, 5)).toEqual(['must be an object']);
});

test('a nested class has to be named', () => {
  class Nameless {
    @ValidateNested() inner!: object;
  }
  expect(() => validate(Nameless, { inner: {} })).toThrow(
    'Nameless.inner: @ValidateNested without @Type is not supported',
  );
});

describe('a union of classes', () => {
  class Circle {
    @IsIn(['circle']) shape!: 'circle';
    @IsInt() radius!: number;
  }
  class Square {
    @IsIn(['square']) shape!: 'square';
    @IsInt() side!: number;
  }
  class Drawing {
    @IsUnionOf('shape', () => ({ circle: Circle, square: Square })) frame!: Circle | Square;
    @IsOptional()
    @IsUnionOf('shape', () => ({ circle: Circle, square: Square }), { each: true })
    @ArrayMaxSize(2)
    parts?: (Circle | Square)[];
  }
  const circle = { shape: 'circle', radius: 1 };
  const square = { shape: 'square', side: 1 };

  test('each object is checked as what it says it is', () => {
    expect(problemsOf(Drawing, { frame: circle, parts: [square, circle] })).toEqual([]);
  });
  test.each([
    ['of no known class', { frame: { shape: 'star' } }, 'frame.shape: must be one of circle, square'],
    ['that does not say', { frame: {} }, 'frame.shape: must be one of circle, square'],
    ['named like what every object has', { frame: { shape: 'constructor' } }, 'frame.shape: must be one of'],
    ['that is none', { frame: 5 }, 'frame: must be an object'],
    ['that is missing', {}, 'frame: is required'],
    ['with a field of another class', { frame: { ...circle, side: 1 } }, 'frame.side: is not a known field'],
    ['with a wrong value', { frame: { ...circle, radius: 'x' } }, 'frame.radius: radius must be an integer'],
    ['in a list', { frame: circle, parts: [circle, { shape: 'star' }] }, 'parts[1].shape: must be one of'],
    ['instead of a list', { frame: circle, parts: circle }, 'parts: must be an array'],
    ['too many', { frame: circle, parts: [circle, circle, circle] }, 'parts: parts must contain no more than 2'],
  ])('an object %s', (_, data, problem) => {
    expect(problemsOf(Drawing, data)).toEqual([expect.stringContaining(problem)]);
  });
});
