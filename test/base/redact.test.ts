import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactMessage, redactReply } from '../../src/base/redact.ts';

const KEY = 'sk-proj-Ab"1/2+3=\\x';

describe('what a server says', () => {
  it.each<[string, string]>([
    [`Incorrect API key provided: ${KEY}.`, 'Incorrect API key provided: [key].'],
    [`{"Authorization":"Bearer ${JSON.stringify(KEY).slice(1, -1)}"}`, '{"Authorization":"Bearer [key]"}'],
    [`?key=${encodeURIComponent(KEY)}&x`, '?key=[key]&x'],
    [`basic ${Buffer.from(KEY).toString('base64')}`, 'basic [key]'],
    [Buffer.from(KEY).toString('hex'), '[key]'],
    ['Bearer another-token here', 'Bearer [key] here'],
    ['provided: sk-abc***wxyz', 'provided: [key]'],
    ['see http://me:secret@host/', 'see http://host/'],
    ['two\nlines\u0007 and\ta tab', 'two lines and a tab'],
  ])('%s', (said, told) => {
    expect(redactMessage(said, KEY)).toBe(told);
  });

  it('has no half of a key where it is cut', () => {
    expect(redactMessage(`no${' '.repeat((64 << 10) - 10)}${KEY}`, KEY)).toBe('no [key]');
  });

  it('is short, and never holds the key, wherever and however often it stands', () => {
    const key = fc.string({
      minLength: 8,
      maxLength: 40,
      unit: fc.constantFrom('a', 'b', 'X', 'Z', '0', '9', '-', '_', '.', '/', '+', '=', '"', '\\'),
    });
    fc.assert(
      fc.property(key, fc.array(fc.string(), { maxLength: 6 }), (secret, parts) => {
        const said = parts.join(secret);
        fc.pre(!parts.some((part) => part.includes(secret)) && !'[key]'.includes(secret));
        const told = redactMessage(said, secret);
        expect(told.includes(secret)).toBe(false);
        expect(told.length).toBeLessThan(310);
        expect(redactReply(said, secret).includes(secret)).toBe(false);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it('in a reply keeps its numbers where the key is a short word', () => {
    expect(redactReply('[0.5, 0.3]', '0')).toBe('[0.5, 0.3]');
  });
});
