import type { CompiledDocument } from '../check/document.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { SettingName } from '../../experiment/settings.ts';
import { blockKindOf, propertyOf } from '../check/properties.ts';
import type { BlockKind } from '../check/properties.ts';
import type { Property } from '../check/property.ts';
import { isUpdateMethod } from '../../experiment/updates.ts';
import type { Updated } from '../check/afterMask.ts';
import {
  CORPUS_SETTINGS,
  evaluationSettings,
  OWN_TASK_ARGUMENTS,
  propertyOfSetting,
  RECOVERY_ARGUMENTS,
  updateArguments,
} from '../check/settingProperties.ts';
import { isClauseName } from '../check/structureWords.ts';
import type { ClauseName } from '../check/structureWords.ts';
import { isUnclosed, tokensOf, tokensToCursor } from '../syntax/tokens.ts';
import type { Token } from '../syntax/tokens.ts';
import { isName } from '../syntax/words.ts';

/** What can be written at the cursor. */
export type CompletionContext =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'declaration' }
  /** A property of a block; `said` are there already. */
  | { readonly kind: 'property'; readonly block: BlockKind; readonly said: ReadonlySet<string> }
  | { readonly kind: 'value'; readonly property: Property }
  /** A name in the parentheses behind a text; `said` are settings that are there already, by the names of their properties. */
  | { readonly kind: 'argument'; readonly allowed: readonly Property[]; readonly said: ReadonlySet<string> }
  /** What ranks components, or with `isBlocks` whole blocks: a method or a metric. `clauses` are what may stand around it. */
  | {
      readonly kind: 'score';
      readonly piece: ParsedDeclaration;
      readonly clauses: readonly ClauseName[];
      readonly isBlocks: boolean;
    }
  /** Between quotes, where a checkpoint or text is named. */
  | { readonly kind: 'place'; readonly of: 'model' | 'corpus' }
  /** Between the braces of a template. */
  | { readonly kind: 'template' }
  | { readonly kind: 'rates'; readonly isGlobal: boolean }
  /** Behind what is pruned with: `then`, or the next property. */
  | { readonly kind: 'then'; readonly block: BlockKind; readonly said: ReadonlySet<string> }
  /** Behind `then`. */
  | { readonly kind: 'update'; readonly of: Updated }
  /** A setting in the parentheses behind `owl`. */
  | { readonly kind: 'owl' }
  | {
      readonly kind: 'expression';
      readonly piece: ParsedDeclaration;
      readonly callee: string | undefined;
      readonly clauses?: readonly ClauseName[];
    };

const [GROUP] = evaluationSettings('group') as [Property];

export interface CompletionPlace {
  readonly context: CompletionContext;
  /** The part of a word, or of what stands between quotes, before the cursor, which a completion replaces. */
  readonly prefix: string;
}

/** Looks at the text between the beginning of the declaration and the cursor: it need not be complete or right. */
export function completionPlace(document: CompiledDocument, offset: number): CompletionPlace {
  const { text, parsed } = document;
  const piece = parsed.declarations.findLast(({ start }) => start < offset);
  const start = piece?.start ?? 0;
  const head = text.slice(start, offset);
  const tokens = tokensToCursor(head);
  if (tokens === undefined) return quotedPlace(piece, head) ?? { context: { kind: 'nothing' }, prefix: '' };
  const last = tokens.at(-1);
  const prefix = last?.kind === 'name' && start + last.end === offset ? last.text : '';
  const before = prefix === '' ? tokens : tokens.slice(0, -1);
  return { context: contextOf(piece, before, beginsLine(text, offset - prefix.length)), prefix };
}

/** Behind a quote that is still open. @returns undefined in a comment, and where no checkpoint and no text is named */
function quotedPlace(piece: ParsedDeclaration | undefined, head: string): CompletionPlace | undefined {
  const last = tokensOf(head).at(-1);
  const before = last && isUnclosed(last) ? tokensToCursor(head.slice(0, last.start)) : undefined;
  if (piece === undefined || last === undefined || before === undefined) return undefined;
  const prefix = last.text.slice(1);
  if (piece.keyword === 'model' || piece.keyword === 'corpus' || piece.keyword === 'task') {
    const isAssigned = before.at(-1)?.text === '=';
    if (isAssigned) {
      return { context: { kind: 'place', of: piece.keyword === 'model' ? 'model' : 'corpus' }, prefix };
    }
    const field = piece.keyword === 'task' ? /(?<!\{)(?:\{\{)*\{([^{}]*)$/.exec(prefix)?.[1] : undefined;
    return field === undefined ? undefined : { context: { kind: 'template' }, prefix: field };
  }
  const context = contextOf(piece, before, false);
  const of = context.kind === 'value' ? context.property.value : undefined;
  return of === 'model' || of === 'corpus' ? { context: { kind: 'place', of }, prefix } : undefined;
}

function contextOf(
  piece: ParsedDeclaration | undefined,
  tokens: readonly Token[],
  isFirstOnLine: boolean,
): CompletionContext {
  const words = tokens.map(({ text }) => text);
  switch (piece?.keyword) {
    case 'experiment':
    case 'search':
    case 'defaults':
      return blockContext(piece, blockKindOf(piece), words, isFirstOnLine);
    case 'metric':
    case 'parameter': {
      if (words.length === 0) return { kind: 'declaration' };
      // Behind a whole expression, a word at the beginning of a line begins the next declaration.
      if (isFirstOnLine && endsValue(words.at(-1)!) && openCallees(words).length === 0) return { kind: 'declaration' };
      const assigned = words.includes('=');
      if (assigned && isGroupOption(words)) return { kind: 'value', property: GROUP };
      return assigned && !endsValue(words.at(-1)!)
        ? { kind: 'expression', piece, callee: openCallees(words).at(-1) }
        : { kind: 'nothing' };
    }
    case 'corpus':
      if (openCallees(words).length > 0) return argumentContext(words, CORPUS_SETTINGS, []);
      return bindingContext(words, isFirstOnLine);
    case 'task':
      if (openCallees(words).length > 0) return argumentContext(words, OWN_TASK_ARGUMENTS, []);
      return bindingContext(words, isFirstOnLine);
    case 'model':
    case undefined:
      return bindingContext(words, isFirstOnLine);
  }
}

function bindingContext(words: readonly string[], isFirstOnLine: boolean): CompletionContext {
  return words.length === 0 || isFirstOnLine || words.at(-1) === '}' ? { kind: 'declaration' } : { kind: 'nothing' };
}

/** Behind `(group:` of a metric. */
function isGroupOption(words: readonly string[]): boolean {
  return words.slice(-3).join(' ') === '( group :';
}

function blockContext(
  piece: ParsedDeclaration,
  block: BlockKind,
  words: readonly string[],
  isFirstOnLine: boolean,
): CompletionContext {
  const open = words.indexOf('{');
  if (open < 0) return words.length === 0 ? { kind: 'declaration' } : { kind: 'nothing' };
  if (words.includes('}')) return isFirstOnLine ? { kind: 'declaration' } : { kind: 'nothing' };
  const inside = words.slice(open + 1);
  const callees = openCallees(inside);
  // Also what stands behind the cursor.
  const others = piece.properties.map(({ tree }) => tree.syntax.key.text);
  const said = new Set([...others, ...inside.filter((_, i) => inside[i + 1] === ':')]);
  const colon = propertyColon(inside);
  const name = colon > 0 ? inside[colon - 1]! : undefined;
  const last = inside.at(-1);
  if (name === undefined || last === undefined) return { kind: 'property', block, said };
  const property = propertyOf(block, name);
  if (property === undefined) return endsValue(last) ? { kind: 'property', block, said } : { kind: 'nothing' };
  if (property.value === 'metrics') {
    if (endsValue(last) && callees.length === 0) return { kind: 'property', block, said };
    return endsValue(last) ? { kind: 'nothing' } : { kind: 'expression', piece, callee: callees.at(-1) };
  }
  if (isStructural(property)) return structuralContext(piece, property, block, inside.slice(colon + 1), said);
  if (callees.length > 0) {
    const [callee] = callees;
    if (property.value === 'recovery') return argumentContext(inside, RECOVERY_ARGUMENTS, []);
    if (property.value === 'update')
      return callee && isUpdateMethod(callee)
        ? argumentContext(inside, updateArguments(callee), [])
        : { kind: 'nothing' };
    return argumentContext(inside, property.arguments ?? [], others);
  }
  if (property.setting?.row.kind === 'list' && isListOpen(inside.slice(colon + 1))) return { kind: 'nothing' };
  return endsValue(last) ? { kind: 'property', block, said } : { kind: 'value', property };
}

/** In the parentheses behind a text. @param others properties that are said elsewhere */
function argumentContext(
  words: readonly string[],
  allowed: readonly Property[],
  others: readonly string[],
): CompletionContext {
  const last = words.at(-1)!;
  if (last === ':') {
    const setting = allowed.find((known) => known.name === words.at(-2));
    return setting ? { kind: 'value', property: setting } : { kind: 'nothing' };
  }
  if (endsValue(last)) return { kind: 'nothing' };
  const here = wordsOfCall(words);
  const inParentheses = here.filter((_, i) => here[i + 1] === ':').map((word) => settingNamed(allowed, word));
  return { kind: 'argument', allowed, said: new Set([...others, ...inParentheses]) };
}

/** The property that says the same as a name in the parentheses: behind a calibration text `length` is `calibrationLength`. */
export function settingNamed(allowed: readonly Property[], name: string): string {
  const setting = allowed.find((known) => known.name === name)?.setting;
  return setting?.of === 'evaluation' ? propertyOfSetting(setting.name as SettingName) : name;
}

function isStructural({ value }: Property): boolean {
  return value === 'prunings' || value === 'target' || value === 'score' || value === 'structures' || value === 'rates';
}

/** @param words of the value, up to the cursor */
function structuralContext(
  piece: ParsedDeclaration,
  { value }: Property,
  block: BlockKind,
  words: readonly string[],
  said: ReadonlySet<string>,
): CompletionContext {
  const ended = words.length > 0 && endsValue(words.at(-1)!);
  if (isListOpen(words)) return { kind: 'nothing' };
  const callee = openCallees(words).at(-1);
  const last = wordsOfLast(words);
  const then = value === 'prunings' ? last.indexOf('then') : -1;
  if (then > 0) {
    const method = last[then + 1];
    if (method === undefined) return { kind: 'update', of: last[0] === 'structure' ? 'structures' : 'weights' };
    if (callee === undefined) return { kind: 'property', block, said };
    return isUpdateMethod(method) ? argumentContext(words, updateArguments(method), []) : { kind: 'nothing' };
  }
  if (callee === undefined) {
    if (ended) return { kind: value === 'prunings' ? 'then' : 'property', block, said };
    if (value === 'rates') return { kind: 'rates', isGlobal: false };
    if (value === 'prunings') return { kind: 'expression', piece, callee, clauses: ['structure', 'weights'] };
    const clauses: readonly ClauseName[] =
      value === 'target' ? ['weights'] : value === 'structures' ? ['structure'] : [];
    return { kind: 'score', piece, clauses, isBlocks: value === 'structures' };
  }
  if (ended) return { kind: 'nothing' };
  if (value === 'prunings' && isGroupOption(words)) return { kind: 'value', property: GROUP };
  if (callee === 'owl') return { kind: 'owl' };
  if (!isClauseName(callee)) return { kind: 'expression', piece, callee };
  const inside = wordsOfCall(words);
  if (inside.includes(',') || inside.at(-2) === 'rates') return { kind: 'rates', isGlobal: callee === 'structure' };
  return callee === 'structure'
    ? { kind: 'score', piece, clauses: [], isBlocks: value !== 'target' }
    : { kind: 'expression', piece, callee: undefined };
}

/** The words of the last value of a list, those in parentheses included. */
function wordsOfLast(words: readonly string[]): readonly string[] {
  let depth = 0;
  let begin = 0;
  words.forEach((word, i) => {
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (word === ',' && depth === 0) begin = i + 1;
  });
  return words.slice(begin);
}

/** The words before the parentheses that are open at the end; an empty one where no word stands there. */
function openCallees(words: readonly string[]): string[] {
  const open: string[] = [];
  words.forEach((word, i) => {
    const before = words[i - 1] ?? '';
    if (word === '(') open.push(isName(before) ? before : '');
    else if (word === ')') open.pop();
  });
  return open;
}

/** The words of the call that is open at the end, without those in parentheses of their own. */
function wordsOfCall(words: readonly string[]): readonly string[] {
  const open: string[][] = [[]];
  for (const word of words) {
    if (word === '(') open.push([]);
    else if (word === ')') open.pop();
    else open.at(-1)?.push(word);
  }
  return open.at(-1) ?? [];
}

/** Where the last `:` outside of parentheses stands. */
function propertyColon(words: readonly string[]): number {
  let depth = 0;
  let colon = -1;
  words.forEach((word, i) => {
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (word === ':' && depth === 0) colon = i;
  });
  return colon;
}

function isListOpen(words: readonly string[]): boolean {
  return words.lastIndexOf('[') > words.lastIndexOf(']');
}

function endsValue(word: string): boolean {
  return !['=', '(', '[', ',', ':', '{', '+', '-', '*', '/', '^'].includes(word);
}

function beginsLine(text: string, offset: number): boolean {
  return /(^|[\n\r])[ \t]*$/.test(text.slice(Math.max(0, offset - 200), offset));
}
