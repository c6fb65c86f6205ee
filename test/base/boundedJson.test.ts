import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBoundedJson } from '../../src/base/boundedJson.ts';
import { isNewer } from '../../src/base/version.ts';

describe('JSON of others', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(parseBoundedJson(text)).toEqual(JSON.parse(text));
      }),
      { seed: 1 },
    );
    const quoted = JSON.stringify({ '[{"\\"': '\\\\"[,:{', b: '\\' });
    expect(parseBoundedJson(quoted)).toEqual(JSON.parse(quoted));
  });

  it('is refused where JSON.parse refuses it', () => {
    for (const text of ['', '{', '"', '"\\"', '[1,]', 'nul', '{"a":1}}'])
      expect(() => parseBoundedJson(text)).toThrow(SyntaxError);
  });

  it.each<[string, string]>([
    ['deep', '['.repeat(5000) + ']'.repeat(5000)],
    ['deep and open', '{"a":'.repeat(100_000)],
    ['of many objects', `[${'{},'.repeat(2_000_001)}{}]`],
    ['of many values', `[${'0,'.repeat(16_000_001)}0]`],
    ['of many names', `{${'"a":0,'.repeat(4_000_001)}"a":0}`],
  ])('is refused before it becomes objects where it is %s', (_, text) => {
    expect(() => parseBoundedJson(text)).toThrow(/more than \d+/);
  });

  it('may be one long text', () => {
    expect(parseBoundedJson(JSON.stringify('[{,:'.repeat(5_000_000)))).toHaveLength(20_000_000);
  });
});

describe('a version', () => {
  it.each([
    ['0.1.0', '0.1.0', false],
    ['0.1.1', '0.1.0', true],
    ['0.10.0', '0.9.9', true],
    ['1.0.0', '0.99.99', true],
    ['0.0.9', '0.1.0', false],
    ['0.1', '0.1.0', false],
  ])('%s came after %s: %s', (version, than, newer) => {
    expect(isNewer(version, than)).toBe(newer);
  });
});
