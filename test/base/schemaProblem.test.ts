import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { schemaProblem, schemaReason } from '../../src/base/schemaProblem.ts';

const KIND = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ByteLevel') }),
  z.object({ type: z.literal('Digits'), each: z.boolean() }),
]);
const SCHEMA = z.strictObject({
  kind: KIND.optional(),
  choice: z.enum(['p', 'q']).optional(),
  count: z.int().min(1).max(5).optional(),
  text: z.string().min(2).optional(),
  list: z.array(z.number()).min(1).optional(),
  either: z.union([z.strictObject({ String: z.string().min(1) }), z.strictObject({ Regex: z.string() })]).optional(),
  one: z.string().regex(/^.$/su, 'one character').optional(),
  mail: z.email().optional(),
  zero: z.literal(0).optional(),
  map: z.record(z.string(), z.number()).optional(),
});

describe('what a schema refuses is said in words', () => {
  it.each<[value: unknown, where: string, expected: string, actual: string]>([
    [{ kind: { type: 'BertPreTokenizer' } }, 'kind.type', 'one of ByteLevel, Digits', '"BertPreTokenizer"'],
    [{ kind: { type: 'Digits', each: 'no' } }, 'kind.each', 'true or false', '"no"'],
    [{ kind: {} }, 'kind.type', 'one of ByteLevel, Digits', 'nothing'],
    [{ kind: 'x' }, 'kind', 'an object', '"x"'],
    [{ choice: 'z' }, 'choice', 'one of p, q', '"z"'],
    [{ count: 1.5 }, 'count', 'a whole number', '1.5'],
    [{ count: 0 }, 'count', 'at least 1', '0'],
    [{ count: 7 }, 'count', 'at most 5', '7'],
    [{ count: null }, 'count', 'a number', 'null'],
    [{ text: 'a' }, 'text', 'at least 2 characters', '"a"'],
    [{ list: [] }, 'list', 'at least 1 items', 'an empty list'],
    [{ list: [1, {}] }, 'list.1', 'a number', 'an object'],
    [{ either: { String: '' } }, 'either.String', 'at least 1 characters', '""'],
    [{ one: 'ab' }, 'one', 'one character', '"ab"'],
    [{ mail: 'ab' }, 'mail', 'a text of another form', '"ab"'],
    [{ zero: 3 }, 'zero', '0', '3'],
    [{ map: { a: [1, 2] } }, 'map.a', 'a number', 'a list of 2'],
    [{ colour: 1, size: 2 }, '', 'only fields that are known here', 'colour, size'],
    [[], '', 'an object', 'an empty list'],
    [undefined, '', 'an object', 'nothing'],
    [{ choice: 'x'.repeat(500) }, 'choice', 'one of p, q', `"${'x'.repeat(59)}…`],
  ])('%j', (value, where, expected, actual) => {
    const { error } = SCHEMA.safeParse(value);
    expect(schemaProblem(error!, value)).toEqual({ where, expected, actual });
  });

  it('and as one phrase', () => {
    const value = { kind: { type: 'x' } };
    const { error } = SCHEMA.safeParse(value);
    expect(schemaReason(error!, value)).toBe('"x" in kind.type instead of one of ByteLevel, Digits');
    expect(schemaReason(error!, value, ['plan'])).toBe('"x" in plan.kind.type instead of one of ByteLevel, Digits');
    expect(schemaReason(SCHEMA.safeParse(1).error!, 1)).toBe('1 instead of an object');
  });
});
