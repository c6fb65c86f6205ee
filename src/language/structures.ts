import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../experiment/owlSettings.ts';
import type { NamedStructure } from '../experiment/maskSearch.ts';
import type { NamedRates, RateTarget } from '../experiment/rateSearch.ts';
import { OWL, STRUCTURE_METHOD_NAMES, UNIFORM } from '../experiment/structure.ts';
import type { RateAllocation } from '../experiment/structure.ts';
import {
  dropsBlocks,
  isStructureMethod,
  meanRate,
  nameWithRates,
  ratesName,
  structureName,
} from '../experiment/structureNames.ts';
import { nearestName } from '../metric/nearest.ts';
import { didYouMean, replaceFix } from './diagnostics.ts';
import type { NamedScore, PrunedStructure, Pruning } from './document.ts';
import type { PropertyReader } from './propertyReader.ts';
import { readMetric, readNumber, readSetting, shareOf } from './propertyValues.ts';
import { ALLOCATION_WORDS, CLAUSES, isAllocationWord, isClauseName } from './structureWords.ts';
import type { ClauseName } from './structureWords.ts';
import { visitExpression } from './syntax.ts';
import type { CallSyntax, ExpressionSyntax, ListSyntax } from './syntax.ts';

/**
 * What says that whole components go, and how much of each block. Each function reads one value; undefined where it is wrong, which
 * is told.
 *
 *     prune: wanda, structure(wanda-sp), structure(mine, owl), weights(wanda, [0.4, 0.6])
 *     target: wanda-sp        baselines: uniform, owl(spread: 0.1), [0.2, 0.4]
 */

/** A metric, which removes single weights, or one of the clauses. */
export function readPruning(reader: PropertyReader, syntax: ExpressionSyntax): Pruning | undefined {
  const clause = clauseOf(reader, syntax);
  if (clause?.name === 'structure') return readStructure(reader, clause.call);
  if (clause?.name === 'weights') {
    const found = clauseArguments(reader, clause.call, 'weights');
    const pruned = found.of && readMetric(reader, found.of);
    const rates = found.rates ? readRates(reader, found.rates) : UNIFORM;
    if (pruned === undefined || rates === undefined) return undefined;
    if (rates.kind === 'global') {
      reader.report('structure/rates', found.rates!.span, '`global` compares components, not single weights');
      return undefined;
    }
    return rates.kind === 'uniform' ? pruned : { ...pruned, label: nameWithRates(pruned.label, rates), rates };
  }
  const word = reader.word(syntax);
  if (!isStructureMethod(word) || !hasUnknownName(reader, syntax)) return readMetric(reader, syntax);
  const fixes = [replaceFix(reader.at(syntax.span), `structure(${word})`)];
  const message = `\`${word}\` removes whole heads and channels: write \`structure(${word})\``;
  reader.report('name/wrong-kind', syntax.span, message, { fixes });
  return undefined;
}

/** A method, a metric, or a `structure(…)` with rates of its own. */
export function readNamedStructure(reader: PropertyReader, syntax: ExpressionSyntax): NamedStructure | undefined {
  const clause = clauseOf(reader, syntax);
  let pruned: PrunedStructure | undefined;
  if (clause?.name === 'structure') pruned = readStructure(reader, clause.call);
  else {
    const scored = readScore(reader, syntax);
    pruned = scored && {
      label: structureName(scored.score, scored.name, UNIFORM),
      score: scored.score,
      rates: UNIFORM,
    };
  }
  return pruned && { name: pruned.label, structure: { kind: 'scored', score: pruned.score, rates: pruned.rates } };
}

/** What a search for rates removes. */
export function readTarget(reader: PropertyReader, syntax: ExpressionSyntax): RateTarget | undefined {
  const clause = clauseOf(reader, syntax);
  const found = clause && clauseArguments(reader, clause.call, clause.name);
  if (found?.rates) reader.report('structure/rates', found.rates.span, 'the rates are what the search finds');
  if (clause?.name === 'weights') {
    const pruned = found?.of && readMetric(reader, found.of);
    return pruned && { kind: 'weights', metric: pruned.label, expression: pruned.expression };
  }
  const of = clause === undefined ? syntax : found?.of;
  const scored = of && readComponentScore(reader, of);
  return scored && { kind: 'structure', ...scored };
}

/** What ranks heads and channels: for searches, to which a method that drops whole blocks is of no use. */
export function readComponentScore(reader: PropertyReader, syntax: ExpressionSyntax): NamedScore | undefined {
  const scored = readScore(reader, syntax);
  if (scored?.score.kind !== 'method' || !dropsBlocks(scored.score.method)) return scored;
  const message = `\`${scored.name}\` drops whole blocks: here stands what ranks heads and channels, such as \`wanda-sp\``;
  reader.report('name/wrong-kind', syntax.span, message);
  return undefined;
}

/** A method by its name, or a metric or expression. A method's name always means the method. */
function readScore(reader: PropertyReader, syntax: ExpressionSyntax): NamedScore | undefined {
  const word = reader.word(syntax);
  if (isStructureMethod(word)) {
    if (reader.source(syntax.span) === word) reader.site(syntax.span, { kind: 'structure-method', name: word });
    const declared = reader.context.names.get(word)?.symbol;
    if (declared?.kind === 'metric') {
      const message = `this is the method \`${word}\`, not the metric of that name`;
      reader.tell('structure/method-first', syntax.span, message);
    }
    return { name: word, score: { kind: 'method', method: word } };
  }
  if (tellUnknownScore(reader, syntax, word)) return undefined;
  const pruned = readMetric(reader, syntax);
  return pruned && { name: pruned.label, score: { kind: 'metric', expression: pruned.expression } };
}

/** Rates that a search is compared with: those that do not follow from scores of components. */
export function readNamedRates(reader: PropertyReader, syntax: ExpressionSyntax): NamedRates | undefined {
  const rates = readRates(reader, syntax);
  if (rates?.kind !== 'global') return rates && { name: ratesName(rates), rates };
  reader.report(
    'structure/rates',
    syntax.span,
    '`global` follows from the scores of components, and is no list of rates',
  );
  return undefined;
}

/** `uniform`, `owl`, `owl(multiple: 7, spread: 0.1)`, `global`, or one rate for each block. */
function readRates(reader: PropertyReader, syntax: ExpressionSyntax): RateAllocation | undefined {
  if (syntax.kind === 'list') return readGivenRates(reader, syntax);
  const name = syntax.kind === 'name' ? syntax.name : syntax.kind === 'call' ? syntax.callee.text : undefined;
  if (name === undefined || !isAllocationWord(name)) {
    const near = name === undefined ? undefined : nearestName(name, Object.keys(ALLOCATION_WORDS));
    const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), near);
    const message = `rates are \`uniform\`, \`owl\`, \`global\` or a list such as \`[0.2, 0.4]\`${suffix}`;
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
  const settings = { multiple: OWL.multiple, spread: OWL.spread };
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

/** `structure(score, rates)` */
function readStructure(reader: PropertyReader, call: CallSyntax): PrunedStructure | undefined {
  const found = clauseArguments(reader, call, 'structure');
  const scored = found.of && readScore(reader, found.of);
  const rates = found.rates ? readRates(reader, found.rates) : UNIFORM;
  if (scored === undefined || rates === undefined) return undefined;
  const { score, name } = scored;
  if (rates.kind !== 'uniform' && score.kind === 'method' && dropsBlocks(score.method)) {
    reader.report('structure/rates', found.rates!.span, `\`${name}\` drops whole blocks: it takes no rates`);
    return undefined;
  }
  return { label: structureName(score, name, rates), score, rates };
}

interface Clause {
  readonly name: ClauseName;
  readonly call: CallSyntax;
}

/** A metric that the file declares under a clause's name goes first: what a file said before the language had clauses, it still says. */
function clauseOf({ context }: PropertyReader, syntax: ExpressionSyntax): Clause | undefined {
  if (syntax.kind !== 'call' || !isClauseName(syntax.callee.text)) return undefined;
  return context.definitions.metrics.has(syntax.callee.text) ? undefined : { name: syntax.callee.text, call: syntax };
}

/** What a clause is about, and its rates. */
function clauseArguments(
  reader: PropertyReader,
  call: CallSyntax,
  name: ClauseName,
): { readonly of?: ExpressionSyntax; readonly rates?: ExpressionSyntax } {
  reader.site(call.callee.span, { kind: 'clause', name });
  const [first, second] = CLAUSES[name].parameters;
  const given = argumentsByName(reader, call, name, [first.name, second.name]);
  const [of, rates] = [given.get(first.name), given.get(second.name)];
  // An argument that has no place has been told.
  if (of === undefined && given.size === call.arguments.length) {
    reader.report(
      'call/arity',
      call.callee.span,
      `\`${name}\` needs its \`${first.name}\`, as in \`${CLAUSES[name].example}\``,
    );
  }
  return { ...(of && { of }), ...(rates && { rates }) };
}

/** The arguments of a call by the names of the parameters: each is given in order or by its name. */
function argumentsByName(
  reader: PropertyReader,
  call: CallSyntax,
  callee: string,
  parameters: readonly string[],
): ReadonlyMap<string, ExpressionSyntax> {
  const given = new Map<string, ExpressionSyntax>();
  call.arguments.forEach(({ name, value, span }, i) => {
    const parameter = name === undefined ? parameters[i] : parameters.find((known) => known === name.text);
    if (parameter === undefined && name === undefined) {
      reader.report('call/arity', span, `\`${callee}\` takes at most ${parameters.length} arguments`);
    } else if (parameter === undefined && name !== undefined) {
      const { suffix, ...fixes } = didYouMean(reader.at(name.span), nearestName(name.text, parameters));
      const list = parameters.map((known) => `\`${known}\``).join(' and ');
      reader.report('call/argument', name.span, `\`${callee}\` has ${list}, not \`${name.text}\`${suffix}`, fixes);
    } else if (parameter !== undefined && given.has(parameter)) {
      reader.report('call/argument', span, `\`${parameter}\` is given twice`);
    } else if (parameter !== undefined) {
      given.set(parameter, value);
    }
  });
  return given;
}

/** Whether a value that ranks components is an unknown name, alone or with hyphens in it: then the nearest one is offered. */
function tellUnknownScore(reader: PropertyReader, syntax: ExpressionSyntax, word: string): boolean {
  const isWord = syntax.kind === 'name' || /^[a-z]+(-[a-z]+)+$/i.test(word);
  if (!isWord || !hasUnknownName(reader, syntax)) return false;
  const near =
    nearestName(word, STRUCTURE_METHOD_NAMES) ??
    (syntax.kind === 'name' ? reader.context.names.suggest(word, 'value') : undefined);
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), near);
  const there =
    near === undefined ? `: there are ${STRUCTURE_METHOD_NAMES.map((name) => `\`${name}\``).join(', ')}` : '';
  reader.report('name/unknown', syntax.span, `\`${word}\` is no method and no metric${suffix}${there}`, fixes);
  return true;
}

function hasUnknownName(reader: PropertyReader, syntax: ExpressionSyntax): boolean {
  const { expressions } = reader;
  let found = false;
  visitExpression(syntax, (node) => {
    if (node.kind === 'name') found ||= expressions.resolve(node.name) === undefined;
  });
  return found;
}
