import { DEFAULT_SEARCH_OPERANDS } from '../../search/metrics/plan.ts';
import { evaluatedForComponents, evaluatedForMetrics } from '../../search/idleInSearch.ts';
import type { SearchKind } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { SearchConflict } from '../../search/conflict.ts';
import { protocolOf } from '../../experiment/protocols.ts';
import type { Protocol } from '../../experiment/protocols.ts';
import { DEFAULT_SPARSITY, printSparsity } from '../../experiment/sparsity.ts';
import { operandsOf, statisticsOf } from '../../metric/measure.ts';
import { OPERAND_NAMES, OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { insertFix, propertySpan, settingFix } from './blockPlaces.ts';
import type { Fix } from './diagnostics.ts';
import type { Declaration, SearchContent, TextInput } from './document.ts';
import { missingInputs, tellMissing } from './missing.ts';
import { isOfWeights, NOTHING_GAINED } from './prunings.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { BlockContext } from './propertyReader.ts';
import { tellWrongLlm } from './llmProperties.ts';
import { tellIdleSettings, tellWithoutEffect } from './searchEffects.ts';
import { checkBlockSearch, needsInputs, rateTarget } from './blockSearch.ts';
import { tellIdleAsking } from './tasks.ts';
import type { Span } from '../syntax/syntax.ts';
import type { PropertyName } from './property.ts';

/**
 * What a `search` block means. Its properties (`properties.ts` has the table, `settings.ts` of `search/metrics` the settings):
 *
 *     search NAME {
 *       model: tiny                     required, here or in defaults
 *       evaluate: valid (blocks: 64)    the text of the fitness; required
 *       calibrate: calib (samples: 16)  required by every operand but the weights; `seed` in here is that of the samples
 *       test: test                      a text that the search never sees, for its best metrics and the baselines
 *       tasks: piqa, arc_easy           what these are asked beside; with `objective: tasks` what all candidates are chosen by
 *       at: 60%                         one sparsity; without it that of defaults, or 50%
 *       operands: W, X, G               leaves of the trees
 *       operations: mul, sqrt, mms      other nodes of the trees; Pruner-Zero's without it
 *       from: wanda, abs(W) * X         metrics of the first generation
 *       baselines: wanda                what it is compared with; magnitude, wanda, taylor, pruner-zero without it
 *       method: pruner-zero             and every other setting of a search by its name: population, generations, seed, …
 *       length: 256                     and every setting of an evaluation: samples, length, offsets, group, calibration, …
 *     }
 *
 * A search for rates or masks has others in the place of those for trees (`blockSearch.ts`). This file checks what only the whole block
 * shows. @returns whether it cannot run
 * @param content what the search says, on top of the defaults
 */
export function checkSearch(
  text: string,
  parsed: ParsedDeclaration,
  search: Pick<Declaration, 'name' | 'nameSpan'>,
  content: SearchContent,
  context: BlockContext,
): boolean {
  const place = (name: PropertyName): Span => propertySpan(parsed, name) ?? search.nameSpan;
  const isForMetrics = kindOf(content) === 'metrics';
  const conflict = SEARCH_METHODS[content.method ?? DEFAULT_SEARCH_METHOD].conflict(content.search);
  if (conflict) tellConflict(text, parsed, search, conflict, context);
  const isOpen = tellSeveralSparsities(text, search, content, context);
  reportSeenTest(content, place(content.test ? 'test' : 'evaluate'), context);
  const isWrong = isForMetrics
    ? tellSeedsOutside(content, place('from'), context) || tellBudget(content, place('at'), context)
    : checkBlockSearch(parsed, content, place, context);
  const isGenerated = tellGenerated(content, place('tasks'), context);
  const lacksLlm = tellWrongLlm(content, place, context);
  tellWithoutEffect(parsed, content, context);
  tellIdleSettings(parsed, search, evaluatedFor(content), content, context);
  tellIdleAsking('search/no-effect', parsed, search, content, context);
  const missing = missingOf(content);
  if (missing.length > 0) tellMissing('search/missing', 'search', text, search, missing, context);
  return conflict !== undefined || isOpen || isWrong || isGenerated || lacksLlm || missing.length > 0;
}

/** The inputs that a search lacks. */
export function missingOf(content: SearchContent): readonly PropertyName[] {
  const { method = DEFAULT_SEARCH_METHOD } = content;
  const isForMetrics = kindOf(content) === 'metrics';
  const calibrates = isForMetrics ? needsCalibration(content) : needsInputs(method, content);
  const isByTasks = isChosenByTasks(content) && content.tasks === undefined;
  return [...missingInputs(content, calibrates, 'search'), ...(isByTasks ? (['tasks'] as const) : [])];
}

function isChosenByTasks({ search }: SearchContent): boolean {
  return search['objective'] === 'tasks';
}

/** Tells tasks whose answers are generated where candidates are chosen by likelihoods of choices. @returns whether there are any */
function tellGenerated(content: SearchContent, span: Span, { findings }: BlockContext): boolean {
  const generated = isChosenByTasks(content) ? content.tasks?.find(({ name }) => name === 'gsm8k') : undefined;
  if (generated === undefined) return false;
  const message = `\`objective: tasks\` chooses by the likelihoods of choices, and answers of \`${generated.name}\` are generated`;
  findings.diagnostics.add('search/objective', span, message);
  return true;
}

/** What a search finds. */
export function kindOf({ method = DEFAULT_SEARCH_METHOD }: Pick<SearchContent, 'method'>): SearchKind {
  return SEARCH_METHODS[method].finds;
}

function evaluatedFor(content: SearchContent): readonly PlannedEvaluation[] {
  const [sparsity = DEFAULT_SPARSITY] = content.at ?? [];
  const kind = kindOf(content);
  if (kind === 'metrics') {
    const metrics = [...(content.from ?? []), ...(content.baselines ?? [])].map(({ expression }) => expression);
    return evaluatedForMetrics(searchOperands(content), metrics, isOfWeights(sparsity) ? sparsity : DEFAULT_SPARSITY);
  }
  const target = kind === 'rates' ? rateTarget(content) : undefined;
  return evaluatedForComponents(target?.kind === 'weights' ? target.expression : undefined);
}

/** Leaves of the trees: what the search says, or Pruner-Zero's and those of the metrics that it starts from. */
export function searchOperands({
  operands,
  from = [],
}: Pick<SearchContent, 'operands' | 'from'>): readonly OperandName[] {
  if (operands !== undefined && operands.length > 0) return operands;
  const used = new Set([...DEFAULT_SEARCH_OPERANDS, ...from.flatMap(({ expression }) => operandsOf(expression))]);
  return OPERAND_NAMES.filter((name) => used.has(name));
}

function needsCalibration(content: SearchContent): boolean {
  const { from = [], baselines = [], update } = content;
  if (update) return true;
  const metrics = [...from, ...baselines].map(({ expression }) => expression);
  return searchOperands(content).some((name) => OPERANDS[name].needs.length > 0) || statisticsOf(...metrics).length > 0;
}

/** Tells the metrics of `from` with operands that the trees cannot have. @returns whether there are any */
function tellSeedsOutside(content: SearchContent, span: Span, { findings }: BlockContext): boolean {
  const known = searchOperands(content);
  let isWrong = false;
  for (const { label, expression } of content.from ?? []) {
    const outside = operandsOf(expression).filter((name) => !known.includes(name));
    if (outside.length === 0) continue;
    const names = outside.map((name) => `\`${name}\``).join(', ');
    findings.diagnostics.add('search/operand', span, `\`${label}\` uses ${names}, which \`operands\` does not list`);
    isWrong = true;
  }
  return isWrong;
}

/** Tells a budget, which candidates that remove single weights cannot meet. @returns whether there is one */
function tellBudget({ at: [sparsity] = [] }: SearchContent, span: Span, { findings }: BlockContext): boolean {
  if (sparsity?.kind !== 'budget') return false;
  const message = `the weights that a metric removes ${NOTHING_GAINED}: say a percentage`;
  findings.diagnostics.add('structure/sparsity', span, message);
  return true;
}

/** Tells settings that do not go together: at the second one, where it is said. */
function tellConflict(
  text: string,
  parsed: ParsedDeclaration,
  search: Pick<Declaration, 'nameSpan'>,
  { settings: [first, second], message, value }: SearchConflict,
  { findings: { diagnostics } }: BlockContext,
): void {
  const span = propertySpan(parsed, second) ?? propertySpan(parsed, first) ?? search.nameSpan;
  const fix = settingFix(text, parsed, search, second, value);
  diagnostics.add('property/range', span, message, fix ? { fixes: [fix] } : {});
}

/** Tells where `defaults` leave open which sparsity a search has. @returns whether they do */
function tellSeveralSparsities(
  text: string,
  search: Pick<Declaration, 'name' | 'nameSpan'>,
  { at = [] }: SearchContent,
  { findings: { diagnostics } }: BlockContext,
): boolean {
  if (at.length <= 1) return false;
  const listed = at.map((sparsity) => `\`${printSparsity(sparsity)}\``).join(', ');
  const fixes = at.flatMap((sparsity) => insertFix(text, search, `at: ${printSparsity(sparsity)}`) ?? ([] as Fix[]));
  const message = `\`defaults\` lists ${listed}, and a search has one sparsity: say which`;
  diagnostics.add('search/missing', search.nameSpan, message, { fixes });
  return true;
}

function reportSeenTest(content: SearchContent, span: Span, { findings }: BlockContext): void {
  const { protocol, evaluate, calibrate } = content;
  const texts: Protocol['texts'] = protocol === undefined ? {} : protocolOf(protocol).texts;
  const test = content.test ?? (texts.text?.from === undefined ? undefined : { path: texts.text.from });
  if (test === undefined || (!isSame(test, evaluate) && !isSame(test, calibrate))) return;
  const use = isSame(test, evaluate) ? 'the fitness is taken on it' : 'it is calibrated on';
  findings.diagnostics.add('search/seen-test', span, `the search has seen this text: ${use}`);
}

function isSame(a: TextInput, b: TextInput | undefined): boolean {
  return a.path === b?.path;
}
