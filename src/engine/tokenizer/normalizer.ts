import { bytesAsCharacters } from './byteLevel.ts';
import { compileBert, compileStrip, normalizeNmt, stripAccents } from './characterNormalizers.ts';
import { endsCluster } from './clusters.ts';
import { compilePrecompiled } from './precompiled.ts';
import { compileReplacePattern, compileReplaceText } from './replace.ts';
import { compilePattern, escapeText, matchesOf } from './splitPattern.ts';
import { tokenizerError } from './tokenizerError.ts';
import { lowercaseAsRust, normalizeAsRust } from './unicodePinning.ts';
import type { NormalizerSpec, PlainNormalizerSpec } from './normalizerSpec.ts';

/** A text on its way, and how many of its first UTF-16 units come from the very first character of the input: see `Metaspace`. */
export interface Headed {
  readonly text: string;
  readonly head: number;
}

/** The normaliser of tokenizer.json, on a stretch of text between added tokens; it stops every now and then. */
export type Normalize = (text: string, head: number) => Generator<void, Headed>;

/**
 * @throws SyntaxError when a pattern cannot be translated.
 * @throws EspalierError `checkpoint/tokenizer`
 */
export function compileNormalizer(spec: NormalizerSpec | null | undefined, file: string): Normalize {
  const plain = spec ? plainOf(spec) : [];
  const steps = plain.map((step, i) => compileStep(step, i + 1 === plain.length, file));
  const groups = groupsOf(steps);
  return function* (text, head) {
    let done: Headed = { text, head };
    for (const group of groups) done = yield* runGroup(group, done);
    return done;
  };
}

/** All at once, for a short text. */
export function normalizeNow(normalize: Normalize, text: string): string {
  const steps = normalize(text, 0);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value.text;
}

interface Step {
  readonly apply: (text: string) => string;
  /** Whether it does to parts of a text what it does to the whole, wherever {@link partEnd} cuts. */
  readonly isLocal: boolean;
  /** What becomes of the head of a text. */
  readonly headOf: (text: string, head: number) => number;
}

function plainOf(spec: NormalizerSpec): readonly PlainNormalizerSpec[] {
  return spec.type === 'Sequence' ? spec.normalizers.flatMap(plainOf) : [spec];
}

function compileStep(spec: PlainNormalizerSpec, isLast: boolean, file: string): Step {
  switch (spec.type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return local((text) => normalizeAsRust(text, spec.type));
    case 'Lowercase':
      return local(lowercaseAsRust);
    case 'StripAccents':
      return local(stripAccents);
    case 'Nmt':
      return local(normalizeNmt);
    case 'ByteLevel':
      return local(bytesAsCharacters);
    case 'BertNormalizer':
      return local(compileBert(spec));
    case 'Precompiled': {
      const step = local(compilePrecompiled(spec.precompiled_charsmap, file));
      return {
        ...step,
        headOf: (text, head) => (head === 0 ? 0 : step.headOf(text, keptFrom(text, head, step.apply))),
      };
    }
    case 'Strip': {
      const apply = compileStrip(spec);
      return { apply, isLocal: false, headOf: (text, head) => Math.max(0, head - leftOut(text, apply)) };
    }
    case 'Prepend': {
      const apply = (text: string): string => (text === '' ? text : spec.prepend + text);
      return {
        apply,
        isLocal: false,
        headOf: (text, head) => (head === 0 || text === '' ? 0 : head + spec.prepend.length),
      };
    }
    case 'Replace':
      return replaceStep(spec, isLast, file);
  }
}

function local(apply: (text: string) => string): Step {
  return { apply, isLocal: true, headOf: (text, head) => apply(text.slice(0, head)).length };
}

/** Where the table takes the first characters away, the Rust library counts the next one as the first. */
function keptFrom(text: string, head: number, apply: (text: string) => string): number {
  let end = head;
  while (end < text.length && apply(text.slice(0, end)) === '') end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  return end;
}

function leftOut(text: string, strip: (text: string) => string): number {
  // Of a text whose end is no white space, only what is at the start is stripped.
  return text.length + 1 - strip(`${text}x`).length;
}

function replaceStep(spec: Extract<PlainNormalizerSpec, { type: 'Replace' }>, isLast: boolean, file: string): Step {
  const { pattern, content } = spec;
  const isText = 'String' in pattern;
  const regex = isText ? new RegExp(escapeText(pattern.String), 'gu') : compilePattern(pattern);
  const replace = isText ? compileReplaceText(pattern.String, content) : compileReplacePattern(regex, content);
  return {
    isLocal: isText && pattern.String.length === 1,
    apply(text) {
      const [first] = isLast || isText ? [] : matchesOf(text, regex);
      // What is put before the first character confuses the Rust library's next step: it repeats it, or ends the process.
      if (first?.end === 0)
        throw tokenizerError(file, 'a Replace that is not last to match something', 'the empty start of a text');
      return replace(text);
    },
    headOf(text, head) {
      let [kept, reached] = [0, 0];
      for (const { begin, end } of matchesOf(text, regex)) {
        if (begin > head || (begin === head && end > begin)) break;
        kept += begin - reached;
        if (end > head) return kept;
        // What is put in place of something belongs to its last character.
        kept += content.length;
        reached = end;
      }
      return kept + head - reached;
    },
  };
}

/** Local steps that follow each other go over each part of a text together. */
function groupsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups: Step[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    if (step.isLocal && last?.at(-1)?.isLocal) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

function* runGroup(group: readonly Step[], { text, head }: Headed): Generator<void, Headed> {
  const parts: string[] = [];
  let newHead = 0;
  const isLocal = group[0]!.isLocal;
  for (let begin = 0; begin < text.length || begin === 0;) {
    const end = isLocal ? partEnd(text, begin) : text.length;
    let part = begin === 0 && end === text.length ? text : text.slice(begin, end);
    if (begin === 0) newHead = head;
    for (const step of group) {
      if (begin === 0) newHead = newHead === 0 ? 0 : step.headOf(part, newHead);
      part = step.apply(part);
    }
    parts.push(part);
    if (end === text.length) break;
    begin = end;
    yield;
  }
  return { text: parts.length === 1 ? parts[0]! : parts.join(''), head: newHead };
}

/** Characters of a part: some milliseconds. */
const PART = 2 ** 16;

/** Before an ASCII character, which joins nothing before it, neither in a normal form nor in a cluster. */
function partEnd(text: string, begin: number): number {
  for (let end = begin + PART; end < text.length; end++) {
    const unit = text.charCodeAt(end);
    if (unit < 0x80 && unit !== 0x0a && endsCluster(text.charCodeAt(end - 1))) return end;
  }
  return text.length;
}
