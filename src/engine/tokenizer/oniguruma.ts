import {
  DIGIT_CLASS,
  POSIX_CLASSES,
  propertyClass,
  SPACE_CLASS,
  WORD_CLASS,
  WORD_MEMBERS,
} from './characterClasses.ts';

/**
 * A regular expression of Oniguruma's syntax (Ruby's, the one of tokenizer.json) as one of JavaScript with the flags `gv` that
 * finds the same. What has no exact counterpart is refused.
 *
 * @throws SyntaxError that says what is not reproduced
 */
export function compileOniguruma(source: string): RegExp {
  if (source.length > MAX_LENGTH) throw new SyntaxError(`a pattern of ${source.length} characters is not reproduced`);
  const parser = new Parser(source);
  const compiled = parser.alternatives({ foldsCase: false, dotAll: false, isBehind: false });
  if (!parser.isAtEnd()) throw new SyntaxError('a bracket ) that nothing opens');
  return new RegExp(compiled, 'gv');
}

const MAX_LENGTH = 2 ** 14;
const MAX_REPEAT = 1000;

interface Flags {
  readonly foldsCase: boolean;
  readonly dotAll: boolean;
  /** Inside of a look-behind, which JavaScript matches from its end. */
  readonly isBehind: boolean;
}

/** A text's start, its end, and the same for lines: what JavaScript's own anchors mean hangs on flags. */
const TEXT_START = '(?<![\\s\\S])';
const TEXT_END = '(?![\\s\\S])';
const ANCHORS: Readonly<Record<string, string | undefined>> = {
  '^': `(?:${TEXT_START}|(?<=\\n)(?=[\\s\\S]))`,
  $: `(?:(?=\\n)|(?<!\\n)${TEXT_END})`,
  '\\A': TEXT_START,
  '\\z': TEXT_END,
  '\\b': `(?:(?<=${WORD_CLASS})(?!${WORD_CLASS})|(?<!${WORD_CLASS})(?=${WORD_CLASS}))`,
  '\\B': `(?:(?<=${WORD_CLASS})(?=${WORD_CLASS})|(?<!${WORD_CLASS})(?!${WORD_CLASS}))`,
};

const CLASS_ESCAPES: Readonly<Record<string, string | undefined>> = {
  d: DIGIT_CLASS,
  s: SPACE_CLASS,
  w: WORD_CLASS,
  h: '[0-9A-Fa-f]',
};

/** The same within a class. */
const MEMBER_ESCAPES = { ...CLASS_ESCAPES, w: `[${WORD_MEMBERS}]` };

const CONTROL_ESCAPES: Readonly<Record<string, string | undefined>> = {
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  a: '\u0007',
  e: '\u001b',
};

const GROUPS: readonly { readonly opens: RegExp; readonly as: string | undefined }[] = [
  { opens: /\(\?:/y, as: '(?:' },
  { opens: /\(\?=/y, as: '(?=' },
  { opens: /\(\?!/y, as: '(?!' },
  { opens: /\(\?<=/y, as: '(?<=' },
  { opens: /\(\?<!/y, as: '(?<!' },
  { opens: /\(\?>/y, as: undefined },
  { opens: /\(\?<[A-Za-z_]\w*>/y, as: '(?:' },
  { opens: /\((?!\?)/y, as: '(?:' },
];

class Parser {
  private readonly source: string;
  private at = 0;
  /** Groups that stand in for atomic ones: (?=(X))\1 takes what X takes first, and never less. */
  private atomic = 0;

  constructor(source: string) {
    this.source = source;
  }

  isAtEnd(): boolean {
    return this.at >= this.source.length;
  }

  alternatives(outer: Flags): string {
    let flags = outer;
    let compiled = '';
    while (!this.isAtEnd() && !this.sees(')')) {
      if (this.takes('|')) compiled += '|';
      else if (this.take(/\(\?#[^)]*\)/y) === undefined) {
        const switched = this.take(/\(\?[imx-]+\)/y);
        // A switch holds to the end of its group, over all alternatives that follow: (?i)a|b is (?i:a|b).
        if (switched !== undefined) {
          flags = switchFlags(flags, switched.slice(2, -1));
          compiled += `(?:${this.alternatives(flags)})`;
        } else compiled += this.term(flags);
      }
    }
    return compiled;
  }

  private term(flags: Flags): string {
    const anchor = this.take(/[$^]|\\[ABbz]/y);
    if (anchor !== undefined) {
      if (this.take(/[*+?]|\{\d*,?\d*\}/y) !== undefined)
        throw new SyntaxError('a quantifier of an anchor is not reproduced');
      return ANCHORS[anchor]!;
    }
    const begin = this.at;
    const atom = this.atom(flags);
    // Folding may take several letters for one: it must not straddle.
    const next = this.source.slice(begin, this.at + 1);
    if (flags.foldsCase && MULTIPLE_FOLDS.test(next)) throw new SyntaxError(`(?i) with ${next} is not reproduced`);
    return this.quantified(atom, flags);
  }

  private atom(flags: Flags): string {
    for (const { opens, as } of GROUPS) {
      if (this.take(opens) === undefined) continue;
      const isBehind = as?.startsWith('(?<') ?? false;
      if (as === undefined && flags.isBehind) throw new SyntaxError('an atomic group behind is not reproduced');
      const number = as === undefined ? ++this.atomic : 0;
      const inner = this.alternatives({ ...flags, isBehind: isBehind || flags.isBehind });
      this.closeGroup();
      return as === undefined ? `(?:(?=(${inner}))\\${number})` : `${as}${inner})`;
    }
    const opened = this.take(/\(\?[imx-]+:/y);
    if (opened !== undefined) {
      const inner = this.alternatives(switchFlags(flags, opened.slice(2, -1)));
      this.closeGroup();
      return `(?:${inner})`;
    }
    if (this.sees('(')) throw new SyntaxError(`${this.source.slice(this.at, this.at + 4)} is not reproduced`);
    if (this.sees('[')) return this.characterClass(flags);
    if (this.takes('.')) return flags.dotAll ? '[\\s\\S]' : '[^\\n]';
    const special = this.take(/[*+?]/y);
    if (special !== undefined) throw new SyntaxError(`a ${special} that repeats nothing`);
    return this.escapedClass(flags) ?? literal(this.character(), flags);
  }

  private closeGroup(): void {
    if (!this.takes(')')) throw new SyntaxError('a bracket ( that nothing closes');
  }

  private quantified(atom: string, flags: Flags): string {
    let compiled = atom;
    for (let isFirst = true; ; isFirst = false) {
      const sign = this.take(/[*+?]/y);
      const counts = sign === undefined ? this.take(/\{(?:\d+,?\d*|,\d+)\}/y) : undefined;
      const quantifier = sign ?? (counts === undefined ? undefined : readCounts(counts));
      if (quantifier === undefined) return compiled;
      if (counts !== undefined && flags.foldsCase) throw new SyntaxError(`(?i) with ${counts} is not reproduced`);
      // A quantifier of a quantified one is one of a group.
      const repeated = (isFirst ? compiled : `(?:${compiled})`) + quantifier;
      if (this.takes('?')) {
        if (counts !== undefined && !counts.includes(',')) throw new SyntaxError(`${counts}? is not reproduced`);
        compiled = `${repeated}?`;
      } else if (sign !== undefined && this.takes('+')) {
        if (flags.isBehind) throw new SyntaxError('a possessive quantifier behind is not reproduced');
        compiled = this.possessive(repeated);
      } else compiled = repeated;
    }
  }

  private possessive(repeated: string): string {
    // Groups inside were numbered before this one, which opens before them.
    if (/\\\d/.test(repeated.replaceAll(/\\u\{[^}]*\}/g, '')))
      throw new SyntaxError('nested possessive quantifiers are not reproduced');
    return `(?:(?=(${repeated}))\\${++this.atomic})`;
  }

  /** `\d`, `\p{L}` and the like. */
  private escapedClass({ foldsCase }: Flags, classes = CLASS_ESCAPES): string | undefined {
    const short = this.take(/\\[dswhDSWH]/y);
    if (short !== undefined) {
      const name = short[1]!.toLowerCase();
      return short[1] === name ? classes[name]! : `[^${classes[name]}]`;
    }
    const property = this.take(/\\[pP]\{\^?[^{}]*\}/y);
    if (property === undefined) return undefined;
    const name = property.slice(3, -1);
    const isNot = name.startsWith('^');
    const found = propertyClass(isNot ? name.slice(1) : name);
    if (found === undefined) throw new SyntaxError(`${property} is not reproduced`);
    if (foldsCase && !CASELESS.test(name)) throw new SyntaxError(`(?i) with ${property} is not reproduced`);
    return isNot !== (property[1] === 'P') ? `[^${found}]` : found;
  }

  /** One character, escaped or not. */
  private character(): string {
    const coded = this.take(/\\x\{[0-9A-Fa-f]{1,6}\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}/y);
    if (coded !== undefined) return readCodePoint(coded);
    if (this.takes('\\')) {
      const escaped = this.next();
      const control = CONTROL_ESCAPES[escaped];
      if (control !== undefined) return control;
      if (/[0-9A-Za-z]/.test(escaped)) throw new SyntaxError(`\\${escaped} is not reproduced`);
      return escaped;
    }
    return this.next();
  }

  private next(): string {
    const point = this.source.codePointAt(this.at);
    if (point === undefined) throw new SyntaxError('the pattern ends too early');
    const character = String.fromCodePoint(point);
    this.at += character.length;
    return character;
  }

  /** `[…]`, with classes, ranges, classes inside, and intersections. */
  private characterClass(flags: Flags): string {
    this.takes('[');
    const isNot = this.takes('^');
    if (isNot && flags.foldsCase) throw new SyntaxError('(?i) with a class that is negated is not reproduced');
    const operands: string[] = [];
    let members = '';
    for (let isFirst = true; isFirst || !this.sees(']'); isFirst = false) {
      if (this.isAtEnd()) throw new SyntaxError('a bracket [ that nothing closes');
      if (this.take(/&&/y) !== undefined) {
        operands.push(members);
        members = '';
      } else members += this.classMember(flags);
    }
    this.takes(']');
    operands.push(members);
    if (operands.includes('')) throw new SyntaxError('an empty class');
    const compiled = operands.length === 1 ? operands[0]! : operands.map((operand) => `[${operand}]`).join('&&');
    return `[${isNot ? '^' : ''}${compiled}]`;
  }

  private classMember(flags: Flags): string {
    const posix = this.take(/\[:\^?[a-z]+:\]/y);
    if (posix !== undefined) {
      const name = posix.slice(2, -2);
      const found = POSIX_CLASSES[name.replace('^', '')];
      if (found === undefined) throw new SyntaxError(`${posix} is not reproduced`);
      return name.startsWith('^') ? `[^${found}]` : found;
    }
    if (this.sees('[')) return this.characterClass(flags);
    const escaped = this.escapedClass(flags, MEMBER_ESCAPES);
    if (escaped !== undefined) {
      if (this.sees('-') && !this.sees('-]'))
        throw new SyntaxError('a range that begins with a class is not reproduced');
      return escaped;
    }
    const first = this.character();
    if (!this.sees('-') || this.sees('-]')) return folded(first, first, flags);
    this.takes('-');
    if (this.sees('[') || this.sees('&&')) throw new SyntaxError('a range that ends with a class is not reproduced');
    if (this.take(/(?=\\[dswhDSWHpP])/y) !== undefined)
      throw new SyntaxError('a range that ends with a class is not reproduced');
    return folded(first, this.character(), flags);
  }

  private sees(text: string): boolean {
    return this.source.startsWith(text, this.at);
  }

  private takes(text: string): boolean {
    if (!this.sees(text)) return false;
    this.at += text.length;
    return true;
  }

  /** Takes what a sticky pattern matches here. */
  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const taken = pattern.exec(this.source)?.[0];
    this.at += taken?.length ?? 0;
    return taken;
  }
}

/** Ruby's m is elsewhere s. */
function switchFlags(flags: Flags, letters: string): Flags {
  const [on, off, ...more] = letters.split('-');
  if (more.length > 0 || letters.includes('x')) throw new SyntaxError(`(?${letters}) is not reproduced`);
  const read = (flag: boolean, letter: string): boolean => (flag || on!.includes(letter)) && !off?.includes(letter);
  return { ...flags, foldsCase: read(flags.foldsCase, 'i'), dotAll: read(flags.dotAll, 'm') };
}

function readCounts(counts: string): string {
  const numbers = counts.match(/\d+/g)!.map(Number);
  if (numbers.some((count) => count > MAX_REPEAT)) throw new SyntaxError(`${counts} is not reproduced`);
  return counts.startsWith('{,') ? `{0${counts.slice(1)}` : counts;
}

function readCodePoint(coded: string): string {
  const point = parseInt(coded.replaceAll(/[^0-9A-Fa-f]/g, ''), 16);
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw new SyntaxError(`${coded} is no character`);
  return String.fromCodePoint(point);
}

function literal(character: string, flags: Flags): string {
  const source = folded(character, character, flags);
  return flags.foldsCase ? `[${source}]` : source;
}

const escape = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/**
 * A range of characters as members of a class, with what they are in the other case. Of letters outside of ASCII it is not
 * known here what they fold to.
 */
function folded(first: string, last: string, { foldsCase }: Flags): string {
  if (first.codePointAt(0)! > last.codePointAt(0)!) throw new SyntaxError(`the range ${first}-${last} is empty`);
  const range = first === last ? escape(first) : `${escape(first)}-${escape(last)}`;
  if (!foldsCase) return range;
  if (first > '\u007f' || last > '\u007f')
    throw new SyntaxError('(?i) with characters outside of ASCII is not reproduced');
  const others = Array.from(ASCII_LETTERS).filter((letter) => first <= letter && letter <= last);
  return range + others.map((letter) => OTHER_CASES[letter.toLowerCase()]!).join('');
}

const ASCII_LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** Beside the other case: ſ folds to s, and the sign of the kelvin to k. */
const OTHER_CASES: Readonly<Record<string, string | undefined>> = Object.fromEntries(
  Array.from(ASCII_LETTERS.slice(0, 26)).map((letter) => [
    letter,
    [letter, letter.toUpperCase(), ...(letter === 's' ? ['ſ'] : []), ...(letter === 'k' ? ['\u212a'] : [])]
      .map(escape)
      .join(''),
  ]),
);
/** Properties that have both cases of each of their characters. */
const CASELESS = /^\^?(?:N|Nd|P|S|Z)$/;
/** Letters that together are what one character folds to (ß, ﬀ, ﬁ, ﬂ, ﬅ, ŉ, ǰ, ẖ, ẗ, ẘ, ẙ, ẚ). */
const MULTIPLE_FOLDS = /ss|st|f[fil]|i[^\0-\x7f]/i;
