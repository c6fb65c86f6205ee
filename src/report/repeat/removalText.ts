import { parseExpression } from '../../language/check/compile.ts';
import { EspalierError } from '../../base/errors.ts';
import { DEFAULT_RECOVERY_SETTINGS, isRecoveryMethod, RECOVERY_SETTINGS } from '../../experiment/recovery.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { SettingTable } from '../../experiment/settingRow.ts';
import type { StructureMethod } from '../../experiment/structure.ts';
import { isStructureMethod } from '../../experiment/structureNames.ts';
import { OWN_MASK } from '../../experiment/planned.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { isUpdateMethod, UPDATES } from '../../experiment/updates.ts';
import type { Update } from '../../experiment/updates.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { Expression } from '../../metric/expression.ts';

/** What a result says was removed, and what became of the rest: its `expression`, which `scoreText` of `src/experiment/planned.ts` printed, read again. */
export interface RemovalText {
  readonly of:
    | { readonly kind: 'metric'; readonly expression: Expression }
    /** Components by a metric. */
    | { readonly kind: 'components'; readonly expression: Expression }
    | { readonly kind: 'method'; readonly method: StructureMethod }
    | { readonly kind: 'own-mask'; readonly update: Update }
    | { readonly kind: 'mask' };
  readonly rates?: RateAllocation;
  readonly group?: 'row' | 'layer';
  readonly update?: Update;
  readonly recovery?: Recovery;
}

/** @returns undefined of the dense model, and of what this version cannot read */
export function readRemovalText({ expression, sparsity, structure }: EvaluationResult): RemovalText | undefined {
  const [rest, recovered] = splitAt(expression, ', recovered by ');
  const recovery = recovered === undefined ? undefined : readRecovery(recovered);
  if ((recovered !== undefined && !recovery) || (sparsity === undefined && recovery === undefined)) return undefined;
  const [removed, followed] = splitAt(rest, ' then ');
  const update = followed === undefined ? undefined : readUpdate(followed);
  if (followed !== undefined && !update) return undefined;
  const [ranked, group] = splitEnd(removed, /^(.*), group (row|layer)$/s);
  const [score, rates] = readRates(ranked);
  const of = readScore(score, structure !== undefined);
  if (of === undefined) return undefined;
  return {
    of,
    ...(rates && { rates }),
    ...(group !== undefined && { group: group === 'row' ? 'row' : 'layer' }),
    ...(update && { update }),
    ...(recovery && { recovery }),
  };
}

function readScore(score: string, isWhole: boolean): RemovalText['of'] | undefined {
  if (isWhole) {
    if (isStructureMethod(score)) return { kind: 'method', method: score };
    if (/^mask [0-9a-f]+$/.test(score)) return { kind: 'mask' };
    const [, metric] = splitEnd(score, /^()components by (.*)$/s);
    const expression = metric === undefined ? undefined : readExpression(metric);
    return expression && { kind: 'components', expression };
  }
  if (score === OWN_MASK || score.startsWith(`${OWN_MASK} (`)) {
    const update = readUpdate(score);
    return update && { kind: 'own-mask', update };
  }
  const expression = readExpression(score);
  return expression && { kind: 'metric', expression };
}

function readRates(text: string): readonly [score: string, rates?: RateAllocation] {
  const owl = /^(.*), owl \(([\d.e+-]+), ([\d.e+-]+)\)$/s.exec(text);
  if (owl) return [owl[1]!, { kind: 'owl', multiple: Number(owl[2]), spread: Number(owl[3]) }];
  const given = /^(.*), rates ([\d.e+ -]+)$/s.exec(text);
  if (given) return [given[1]!, { kind: 'given', rates: given[2]!.split(' ').map(Number) }];
  return text.endsWith(', global') ? [text.slice(0, -', global'.length), { kind: 'global' }] : [text];
}

function readExpression(text: string): Expression | undefined {
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof EspalierError) return undefined;
    throw error;
  }
}

function readUpdate(text: string): Update | undefined {
  const called = readCall(text);
  if (called === undefined || !isUpdateMethod(called.method)) return undefined;
  const { method } = called;
  const settings = settingsOf(UPDATES[method].settings, called.said);
  return settings && ({ method, ...settings } as Update);
}

function readRecovery(text: string): Recovery | undefined {
  const called = readCall(text);
  if (called === undefined || !isRecoveryMethod(called.method)) return undefined;
  const settings = settingsOf(RECOVERY_SETTINGS, called.said);
  return settings && { method: called.method, ...DEFAULT_RECOVERY_SETTINGS, ...settings };
}

/** `admm (iterations: 50)` */
function readCall(text: string): { readonly method: string; readonly said: ReadonlyMap<string, string> } | undefined {
  const match = /^([a-z]+)(?: \(([^()]*)\))?$/.exec(text);
  if (!match) return undefined;
  const pairs = match[2]?.split(', ').map((pair): [string, string] => {
    const [name = '', value = ''] = pair.split(': ');
    return [name, value];
  });
  return { method: match[1]!, said: new Map(pairs) };
}

/** @returns undefined where a setting is said that the table has not */
function settingsOf(table: SettingTable, said: ReadonlyMap<string, string>): Record<string, unknown> | undefined {
  if ([...said.keys()].some((name) => !Object.hasOwn(table, name))) return undefined;
  return Object.fromEntries(
    Object.entries(table).map(([name, row]) => {
      const value = said.get(name);
      const read = row.kind === 'choice' || row.kind === 'text' ? value : Number(value);
      return [name, value === undefined ? row.default : read];
    }),
  );
}

/** At the last place, which no formula has: its names and operations are others. */
function splitAt(text: string, between: string): readonly [string, string?] {
  const at = text.lastIndexOf(between);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + between.length)];
}

function splitEnd(text: string, pattern: RegExp): readonly [string, string | undefined] | readonly [string] {
  const match = pattern.exec(text);
  return match ? [match[1]!, match[2]] : [text];
}
