import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../../experiment/owlSettings.ts';
import type { OwlSettingName } from '../../experiment/owlSettings.ts';
import type { NamedRates } from '../../search/rates/plan.ts';
import { ALLOCATIONS, OWL } from '../../experiment/structure.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { meanRate, ratesName } from '../../experiment/structureNames.ts';
import { nearestName } from '../../metric/nearest.ts';
import { argumentsByName } from './clauses.ts';
import { didYouMean, replaceFix } from './diagnostics.ts';
import type { PropertyReader } from './propertyReader.ts';
import { readNumber, shareOf } from './propertyValues.ts';
import { readSetting } from './settingValues.ts';
import { isAllocationWord } from './structureWords.ts';
import type { AllocationWord } from './structureWords.ts';
import type { CallSyntax, ExpressionSyntax, ListSyntax } from '../syntax/syntax.ts';

/** How much of each block goes. Each function reads one value; undefined where it is wrong, which is told. */

/** All words, and those that mean something without the scores of components. */
export const WITH_SCORES: readonly AllocationWord[] = ALLOCATIONS;
export const WITHOUT_SCORES: readonly AllocationWord[] = ALLOCATIONS.filter((word) => word !== 'global');

/** Rates that a search is compared with: those that do not follow from scores of components. */
export function readNamedRates(reader: PropertyReader, syntax: ExpressionSyntax): NamedRates | undefined {
  const rates = readRates(reader, syntax, WITHOUT_SCORES);
  if (rates?.kind !== 'global') return rates && { name: ratesName(rates), rates };
  reader.report(
    'structure/rates',
    syntax.span,
    '`global` follows from the scores of components, and is no list of rates',
  );
  return undefined;
}

/** `uniform`, `owl`, `owl(multiple: 7, spread: 0.1)`, `global`, or one rate for each block. @param words that are offered */
export function readRates(
  reader: PropertyReader,
  syntax: ExpressionSyntax,
  words: readonly AllocationWord[],
): RateAllocation | undefined {
  if (syntax.kind === 'list') return readGivenRates(reader, syntax);
  const name = syntax.kind === 'name' ? syntax.name : syntax.kind === 'call' ? syntax.callee.text : undefined;
  if (name === undefined || !isAllocationWord(name)) {
    const near = name === undefined ? undefined : nearestName(name, words);
    const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), near);
    const listed = words.map((word) => `\`${word}\``).join(', ');
    const message = `rates are ${listed} or a list such as \`[0.2, 0.4]\`${suffix}`;
    reader.report('property/type', syntax.span, message, fixes);
    return undefined;
  }
  reader.site(syntax.kind === 'call' ? syntax.callee.span : syntax.span, { kind: 'allocation', name });
  if (name === 'owl') return syntax.kind === 'call' ? readOwl(reader, syntax) : OWL;
  if (syntax.kind !== 'call') return { kind: name };
  const fixes = [replaceFix(reader.at(syntax.span), name)];
  reader.report('call/not-a-function', syntax.callee.span, `\`${name}\` takes no arguments`, { fixes });
  return undefined;
}

function readOwl(reader: PropertyReader, call: CallSyntax): RateAllocation | undefined {
  const given = argumentsByName(reader, call, 'owl', OWL_SETTING_NAMES);
  const settings: Record<OwlSettingName, number> = { multiple: OWL.multiple, spread: OWL.spread };
  for (const name of OWL_SETTING_NAMES) {
    const syntax = given.get(name);
    if (syntax === undefined) continue;
    const value = readSetting(reader, OWL_SETTINGS[name], name, syntax);
    if (typeof value === 'number') settings[name] = value;
  }
  return { kind: 'owl', ...settings };
}

function readGivenRates(reader: PropertyReader, { values, span }: ListSyntax): RateAllocation | undefined {
  const rates = values.flatMap((value) => {
    const rate =
      value.kind === 'percentage' ? shareOf(value) : readNumber(reader, value, 'a rate is a number from 0 to 1');
    if (rate === undefined) return [];
    if (rate >= 0 && rate <= 1) return [rate];
    reader.report('property/range', value.span, `a rate is a number from 0 to 1, not ${rate}`);
    return [];
  });
  if (rates.length < values.length) return undefined;
  if (meanRate(rates) < 1) return { kind: 'given', rates };
  reader.report('property/range', span, 'these rates leave nothing of the model');
  return undefined;
}
