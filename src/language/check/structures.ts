import type { NamedStructure } from '../../search/masks/plan.ts';
import type { RateTarget } from '../../search/rates/plan.ts';
import { REMOVED, STRUCTURE_METHOD_NAMES, STRUCTURE_METHODS, UNIFORM } from '../../experiment/structure.ts';
import { OWN_MASK } from '../../experiment/planned.ts';
import { updateText } from '../../experiment/updates.ts';
import type { StructureUpdate, WeightUpdate } from '../../experiment/updates.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { ratesProblem } from './prunings.ts';
import { isStructureMethod, nameWithRates, removesComponents, structureName } from '../../experiment/structureNames.ts';
import { nearestName } from '../../metric/nearest.ts';
import { readRates, WITH_SCORES, WITHOUT_SCORES } from './allocations.ts';
import { clauseArguments, clauseOf } from './clauses.ts';
import { didYouMean, replaceFix } from './diagnostics.ts';
import { appliedOf, readUpdate } from './afterMask.ts';
import type { NamedScore, OwnMask, PrunedMetric, PrunedStructure, Pruning } from './document.ts';
import type { PropertyReader } from './propertyReader.ts';
import { readMetric } from './propertyValues.ts';
import { visitExpression } from '../syntax/syntax.ts';
import type { CallSyntax, ExpressionSyntax } from '../syntax/syntax.ts';
import { NAME } from '../syntax/words.ts';

/**
 * What is pruned with: metrics of single weights, and what says that whole components go. Each function reads one value; undefined where
 * it is wrong, which is told.
 *
 *     prune: wanda, structure(wanda-sp), structure(mine, owl), weights(wanda, [0.4, 0.6])
 *     target: wanda-sp        baselines: uniform, owl(spread: 0.1), [0.2, 0.4]
 */

/** A metric, which removes single weights, or one of the clauses; and what becomes of the weights that stay. */
export function readPruning(reader: PropertyReader, syntax: ExpressionSyntax): Pruning | undefined {
  const removed = readRemoval(reader, syntax);
  if (syntax.then === undefined || removed === undefined) return removed;
  if (isOwnMask(removed)) {
    const message = 'SparseGPT’s own mask comes with its own update: nothing follows it';
    reader.report('update/misplaced', syntax.then.callee.span, message);
    return undefined;
  }
  if ('score' in removed) {
    const update = readUpdate(reader, syntax.then, 'structures');
    return (
      update && { ...removed, label: `${removed.label} then ${updateText(update)}`, update: update as StructureUpdate }
    );
  }
  const update = readUpdate(reader, syntax.then, 'weights');
  return update && { ...removed, label: `${removed.label} then ${updateText(update)}`, update: update as WeightUpdate };
}

function isOwnMask(pruning: Pruning): pruning is OwnMask {
  return !('score' in pruning) && !('expression' in pruning);
}

function readRemoval(reader: PropertyReader, syntax: ExpressionSyntax): Pruning | undefined {
  const clause = clauseOf(reader, syntax);
  if (clause?.name === 'structure') return readStructure(reader, clause.call);
  if (clause?.name === 'weights') {
    const found = clauseArguments(reader, clause.call, 'weights');
    const pruned = found.of && (readOwnMask(reader, found.of) ?? readWeightMetric(reader, found.of));
    const rates = found.rates ? readRates(reader, found.rates, WITHOUT_SCORES) : UNIFORM;
    if (pruned === undefined || rates === undefined) return undefined;
    if (tellRatesProblem(reader, pruned, rates, found.rates)) return undefined;
    return rates.kind === 'uniform' ? pruned : { ...pruned, label: nameWithRates(pruned.label, rates), rates };
  }
  const own = readOwnMask(reader, syntax);
  if (own) return own;
  const word = reader.word(syntax);
  if (!isStructureMethod(word) || unknownNames(reader, syntax).length === 0) return readMetric(reader, syntax);
  const fixes = [replaceFix(reader.at(syntax.span), `structure(${word})`)];
  const message = `\`${word}\` removes whole heads and channels: write \`structure(${word})\``;
  reader.report('name/wrong-kind', syntax.span, message, { fixes });
  return undefined;
}

/** `sparsegpt`, alone or with its settings. A metric that the file declares under that name goes first. */
function readOwnMask(reader: PropertyReader, syntax: ExpressionSyntax): OwnMask | undefined {
  const applied = appliedOf(syntax);
  if (applied?.callee.name !== OWN_MASK || reader.context.definitions.metrics.has(OWN_MASK)) return undefined;
  const update = readUpdate(reader, applied, 'weights');
  return update?.method === 'sparsegpt' ? { label: updateText(update), update } : undefined;
}

/** In `weights(…)`. */
function readWeightMetric(reader: PropertyReader, syntax: ExpressionSyntax): PrunedMetric | undefined {
  const word = reader.word(syntax);
  if (!isStructureMethod(word) || unknownNames(reader, syntax).length === 0) return readMetric(reader, syntax);
  const message = `\`${word}\` ranks heads and channels: here stands a metric, which ranks single weights`;
  reader.report('name/wrong-kind', syntax.span, message);
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
    const pruned = found?.of && readWeightMetric(reader, found.of);
    return pruned && { kind: 'weights', metric: pruned.label, expression: pruned.expression };
  }
  const of = clause === undefined ? syntax : found?.of;
  const scored = of && readComponentScore(reader, of);
  return scored && { kind: 'structure', ...scored };
}

/** What ranks heads and channels: for searches, to which a method that drops whole blocks or experts is of no use. */
export function readComponentScore(reader: PropertyReader, syntax: ExpressionSyntax): NamedScore | undefined {
  const scored = readScore(reader, syntax);
  if (scored?.score.kind !== 'method' || removesComponents(scored.score.method)) return scored;
  const { removes } = STRUCTURE_METHODS[scored.score.method];
  const message = `\`${scored.name}\` drops ${REMOVED[removes]}: here stands what ranks heads and channels, such as \`wanda-sp\``;
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
  if (syntax.kind === 'text' && isStructureMethod(syntax.text)) {
    const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), syntax.text);
    reader.report('property/type', syntax.span, `a method is written without quotes${suffix}`, fixes);
    return undefined;
  }
  if (tellUnknownScore(reader, syntax, word)) return undefined;
  const pruned = readMetric(reader, syntax);
  return pruned && { name: pruned.label, score: { kind: 'metric', expression: pruned.expression } };
}

/** `structure(score, rates)` */
function readStructure(reader: PropertyReader, call: CallSyntax): PrunedStructure | undefined {
  const found = clauseArguments(reader, call, 'structure');
  const scored = found.of && readScore(reader, found.of);
  const rates = found.rates ? readRates(reader, found.rates, WITH_SCORES) : UNIFORM;
  if (scored === undefined || rates === undefined) return undefined;
  const { score, name } = scored;
  const pruned = { label: structureName(score, name, rates), score, rates };
  return tellRatesProblem(reader, pruned, rates, found.rates) ? undefined : pruned;
}

function tellRatesProblem(
  reader: PropertyReader,
  pruning: Pruning,
  rates: RateAllocation,
  syntax: ExpressionSyntax | undefined,
): boolean {
  const problem = ratesProblem(pruning, rates);
  if (problem !== undefined && syntax) reader.report('structure/rates', syntax.span, problem);
  return problem !== undefined;
}

/** Whether a value that ranks components is an unknown name, alone or with hyphens in it: then the nearest one is offered. */
function tellUnknownScore(reader: PropertyReader, syntax: ExpressionSyntax, word: string): boolean {
  const unknown = unknownNames(reader, syntax);
  if (!WORD.test(word) || unknown.length === 0) return false;
  const near =
    nearestName(word, STRUCTURE_METHOD_NAMES) ??
    (syntax.kind === 'name' ? reader.context.names.suggest(word, 'value') : undefined);
  // A formula in which a name is wrong.
  if (near === undefined && unknown.length < word.split('-').length) return false;
  const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), near);
  const there =
    near === undefined ? `: there are ${STRUCTURE_METHOD_NAMES.map((name) => `\`${name}\``).join(', ')}` : '';
  reader.report('name/unknown', syntax.span, `\`${word}\` is no method and no metric${suffix}${there}`, fixes);
  return true;
}

/** A name, or several with hyphens between them. */
const WORD = new RegExp(`^${NAME}(?:-${NAME})*$`);

function unknownNames(reader: PropertyReader, syntax: ExpressionSyntax): readonly string[] {
  const { expressions } = reader;
  const found: string[] = [];
  visitExpression(syntax, (node) => {
    if (node.kind === 'name' && expressions.resolve(node.name) === undefined) found.push(node.name);
  });
  return found;
}
