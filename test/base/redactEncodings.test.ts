import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactMessage, redactReply } from '../../src/base/redact.ts';

const KEY = 'sk-Proj_Ab"1/2+3=\\x~9&<Z';

type Encoding = (text: string) => string;
const base64: Encoding = (text) => Buffer.from(text).toString('base64');
const base64url: Encoding = (text) => Buffer.from(text).toString('base64url');
const hex: Encoding = (text) => Buffer.from(text).toString('hex');
const json: Encoding = (text) => JSON.stringify(text).slice(1, -1);
const each =
  (show: (code: number, i: number) => string): Encoding =>
  (text) =>
    Array.from(text, (character, i) => show(character.charCodeAt(0), i)).join('');
const pad = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');
const NAMED: Readonly<Record<string, string>> = {
  ...{
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&apos;',
    _: '&lowbar;',
    '-': '&hyphen;',
    '+': '&plus;',
  },
  ...{ '=': '&equals;', '/': '&sol;', '\\': '&bsol;', '.': '&period;' },
};
const utf16 = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');
const wrapped =
  (encode: Encoding, width: number, between: string): Encoding =>
  (text) =>
    encode(text).replace(new RegExp(`.{${width}}(?=.)`, 'gs'), `$&${between}`);

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  'as it is': (text) => text,
  JSON: json,
  'JSON in JSON': (text) => json(json(text)),
  'JSON with escaped slashes': (text) => json(text).replaceAll('/', '\\/'),
  'JSON, all as \\u': each((code) => `\\u${pad(code, 4)}`),
  'JSON, every second as \\u in capitals': each((code, i) =>
    i % 2 ? `\\u${pad(code, 4).toUpperCase()}` : json(String.fromCharCode(code)),
  ),
  'JavaScript, \\u{…}': each((code) => `\\u{${code.toString(16).padStart(2, '0')}}`),
  'C, \\x': each((code) => `\\x${pad(code, 2)}`),
  'C, octal': each((code) => `\\${code.toString(8).padStart(3, '0')}`),
  'an address': encodeURIComponent,
  'an address, in small letters': (text) => encodeURIComponent(text).replace(/%../g, (found) => found.toLowerCase()),
  'an address, every sign': each((code) => `%${pad(code, 2)}`),
  'an address, one sign in three': each((code, i) =>
    i % 3 === 0 || code === 0x25 ? `%${pad(code, 2).toUpperCase()}` : String.fromCharCode(code),
  ),
  'an address in an address': (text) => encodeURIComponent(encodeURIComponent(text)),
  'an address in JSON': (text) => json(encodeURIComponent(text)),
  'JSON in an address': (text) => encodeURIComponent(json(text)),
  'old escapes of addresses': each((code) => `%u${pad(code, 4)}`),
  'HTML by name': each((code) => NAMED[String.fromCharCode(code)] ?? String.fromCharCode(code)),
  'HTML, decimal': each((code) => `&#${code};`),
  'HTML, decimal with zeros': each((code) => `&#${String(code).padStart(4, '0')};`),
  'HTML, hexadecimal': each((code) => `&#x${pad(code, 2)};`),
  'HTML, hexadecimal in capitals': each((code) => `&#X${pad(code, 2).toUpperCase()};`),
  'HTML in HTML': each((code) => `&amp;#${code};`),
  'quoted-printable': each((code) => `=${pad(code, 2).toUpperCase()}`),
  'full-width characters': each((code) => String.fromCharCode(code + 0xfee0)),
  'UTF-16 read as bytes': utf16,
  'UTF-16, the other way round': (text) => Buffer.from(text, 'utf16le').swap16().toString('latin1'),
  'zero-width characters in it': each((code) => `${String.fromCharCode(code)}\u200b`),
  lines: wrapped((text) => text, 5, '\n'),
  'lines of a mail': wrapped((text) => text, 7, '\r\n> '),
  hexadecimal: hex,
  'hexadecimal in capitals': (text) => hex(text).toUpperCase(),
  'hexadecimal with blanks': (text) => hex(text).replace(/..(?=.)/g, '$& '),
  'hexadecimal with colons': (text) => hex(text).replace(/..(?=.)/g, '$&:'),
  'hexadecimal numbers': (text) => hex(text).replace(/..(?=.)/g, '0x$&, '),
  'hexadecimal of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('hex'),
  'bytes of a printed buffer': (text) => JSON.stringify(Buffer.from(text)),
  'bytes over lines': (text) => JSON.stringify([...Buffer.from(text)], null, 2),
  base64,
  base64url,
  'base64, lines': wrapped(base64, 8, '\n'),
  'base64, lines in JSON': wrapped(base64, 8, '\\r\\n'),
  'base64 in an address': (text) => encodeURIComponent(base64(text)),
  'base64 twice': (text) => base64(base64(text)),
  'base64url twice': (text) => base64url(base64url(text)),
  'base64 of JSON': (text) => base64(JSON.stringify({ authorization: `Bearer ${text}` })),
  'base64 of an address': (text) => base64(`?key=${encodeURIComponent(text)}&x=1`),
  'base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'basic authorisation': (text) => `Basic ${base64(`user:${text}`)}`,
  'basic authorisation, key first': (text) => `Basic ${base64(`${text}:`)}`,
};

/** Whatever a text can be read as: escapes and bytes undone, again and again. */
function readings(text: string): readonly string[] {
  const all = [text];
  for (let i = 0; i < all.length && i < 400; i++) {
    const now = all[i]!;
    const more = [
      now.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16))),
      now.replace(/\\(?:u00|x|u\{)([0-9a-f]{2})\}?/gi, (_, digits: string) =>
        String.fromCharCode(parseInt(digits, 16)),
      ),
      now.replace(/\\(["\\/])/g, '$1'),
      now.replace(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits))),
      now.replace(/&amp;/g, '&'),
      now.replace(/[\s\0]/g, ''),
      ...[...now.matchAll(/[\w+/-]{10,}/g)].flatMap(({ 0: run }) =>
        [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1')),
      ),
      ...[...now.matchAll(/(?:[0-9a-f]{2}){8,}/gi)].map(({ 0: run }) => Buffer.from(run, 'hex').toString('latin1')),
    ];
    if (i < 30) all.push(...more.filter((each) => each !== now && !all.includes(each)));
  }
  return all;
}

describe('a key that a server repeats', () => {
  it.each(Object.entries(ENCODINGS))('is cut out as %s', (_, encode) => {
    for (const [before, after] of [
      ['', ''],
      ['said: ', ' and no more'],
      ['x', 'y.'],
      ['{"a":"', '"}'],
    ] as const) {
      const said = `${before}${encode(KEY)}${after}`;
      const told = redactReply(said, KEY);
      expect(told).toContain('[key]');
      for (const reading of readings(told)) expect(reading).not.toContain(KEY);
      expect(redactMessage(said, KEY)).toContain('[key]');
    }
  });

  it.each([0, 1, 2, 3, 4, 5])('is cut out of base64 wherever it begins: %i', (length) => {
    for (const encode of [base64, base64url, (text: string) => base64(base64(text))]) {
      const told = redactReply(`(${encode(`${'{'.repeat(length)}${KEY}${'}'.repeat(length)}`)})`, KEY);
      expect(told).toContain('[key]');
      for (const reading of readings(told)) expect(reading).not.toContain(KEY.slice(1, -1));
    }
  });

  it('is cut out where a line of JSON ends in it', () => {
    expect(redactReply('"sk-abcdefg\\nhijklm" and "sk-abcde\\r\\nfghijklm"', 'sk-abcdefghijklm')).toBe(
      '"[key]" and "[key]"',
    );
  });

  it('leaves what is around it', () => {
    const text = `a ${KEY} b ${hex(KEY).toUpperCase()} c ${json(KEY)} d &#115;${KEY.slice(1)} e`;
    expect(redactReply(text, KEY)).toBe('a [key] b [key] c [key] d [key] e');
  });

  it('is cut out however it is encoded and whatever it is', () => {
    const character = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const key = fc.array(character, { minLength: 8, maxLength: 60 }).map((all) => all.join(''));
    const around = fc.string({ maxLength: 20, unit: fc.constantFrom(...'ab %&#;=\\/"[]{}0159+-_\n:,.u'.split('')) });
    fc.assert(
      fc.property(key, fc.constantFrom(...Object.keys(ENCODINGS)), around, around, (secret, name, before, after) => {
        // What stands right before an escape may make another one of it, and then it is not the key any more.
        const said = `${before} ${ENCODINGS[name]!(secret)} ${after}`;
        fc.pre(!before.endsWith('\\') && !/^[%&\\=#]/.test(secret));
        expect(redactReply(said, secret)).toContain('[key]');
        expect(redactReply(said, secret)).not.toContain(ENCODINGS[name]!(secret));
      }),
      { seed: 21, numRuns: 3000 },
    );
  });
});

describe('a text without the key', () => {
  it('stays as it is, whatever it holds', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 200, unit: 'binary' }),
      fc
        .array(fc.double({ min: 0, max: 1, noNaN: true }).map((rate) => rate.toFixed(5)))
        .map((rates) => `[${rates.join(', ')}]`),
      fc.string({ maxLength: 100, unit: fc.constantFrom(...'ab%&#;=\\/"0159+-_\n'.split('')) }),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    );
    fc.assert(
      fc.property(
        text,
        fc.string({ minLength: 16, maxLength: 40, unit: fc.constantFrom(...'abcXYZ019-_'.split('')) }),
        (said, secret) => {
          fc.pre(!said.includes(secret));
          expect(redactReply(said, secret)).toBe(said);
        },
      ),
      { seed: 22, numRuns: 3000 },
    );
  });

  it.each([
    ['ollama', 'ollama is not running', '[key] is not running'],
    ['EMPTY', 'The list is EMPTY, not EMPTY_LIST or NONEMPTY', 'The list is [key], not EMPTY_LIST or NONEMPTY'],
    ['key', 'no key here, monkey', 'no key here, monkey'],
    ['0', 'status 500 after 10 s', 'status 500 after 10 s'],
    ['none', 'nonesuch', 'nonesuch'],
    ['none', 'Bearer none', 'Bearer [key]'],
  ])('is not spoilt by a short key: %s', (key, said, told) => {
    expect(redactMessage(said, key)).toBe(told);
    expect(redactReply(said, key)).toBe(said);
  });
});

describe('a text of a hundred thousand characters', () => {
  it.each([
    'a',
    '%',
    '%25',
    '%2525',
    '&#',
    '&#37;',
    '&amp;',
    '\\',
    '\\u',
    '\\u005c',
    '=',
    '=3D',
    '\n',
    '\0',
    ' ',
    'c2',
    '115, ',
    'sk-Proj_',
    'c2stUHJval',
    '0.30000, ',
  ])(
    'takes a bounded time: %j',
    (part) => {
      const text = part.repeat(Math.ceil(1e5 / part.length));
      const begin = performance.now();
      redactReply(text, KEY);
      redactReply(text, 'aaaaaaaaaaaaaaaa');
      expect(performance.now() - begin).toBeLessThan(30_000);
    },
    60_000,
  );
});
