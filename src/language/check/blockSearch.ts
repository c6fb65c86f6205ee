import { needsCalibration } from '../../experiment/planned.ts';
import { UNIFORM } from '../../experiment/structure.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import { meanRate } from '../../experiment/structureNames.ts';
import { UPDATES } from '../../experiment/updates.ts';
import { DEFAULT_SPARSITY, printSparsity } from '../../experiment/sparsity.ts';
import { readNamedRates } from './allocations.ts';
import { propertyNamed } from './blockPlaces.ts';
import { DiagnosticList, shift } from './diagnostics.ts';
import { NOTHING_GAINED } from './prunings.ts';
import type { NamedScore, SearchContent } from './document.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { PropertyName } from './property.ts';
import { PropertyReader } from './propertyReader.ts';
import type { BlockContext } from './propertyReader.ts';
import type { Span } from '../syntax/syntax.ts';
import type { SearchMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { DEFAULT_RATE_BASELINES } from '../../search/rates/baselines.ts';
import { evaluationOf } from '../../search/rates/target.ts';
import type { RateTarget } from '../../search/rates/plan.ts';

/**
 * What a `search` block by `self-pruner` or `policy-gradient` means. Texts and settings are as in a search for metrics (`search.ts`); in
 * their place stand
 *
 *     search rates {                            search masks {
 *       method: self-pruner                       method: policy-gradient
 *       at: 30%                                   at: 30%
 *       target: wanda-sp                          score: wanda-sp
 *       baselines: uniform, owl, [0.2, 0.4]       baselines: wanda-sp, structure(flap, global)
 *       provider: openai  llm: "…"                steps: 1000  masks: 2
 *     }                                         }
 *
 * This file checks what a search for metrics has not. @returns whether it cannot run
 * @param content what the search says, on top of the defaults
 */
export function checkBlockSearch(
  parsed: ParsedDeclaration,
  content: SearchContent,
  place: (name: PropertyName) => Span,
  context: BlockContext,
): boolean {
  const { diagnostics } = context.findings;
  const isPattern = content.at?.[0]?.kind === 'n:m';
  if (isPattern) {
    const message = 'such a search finds what share of each block goes, and N:M is a pattern of single weights: `30%`';
    diagnostics.add('structure/sparsity', place('at'), message);
  }
  const isIdle = content.at?.[0]?.kind === 'budget' && rateTarget(content).kind === 'weights';
  const isBudgetless = isIdle && SEARCH_METHODS[content.method ?? DEFAULT_SEARCH_METHOD].finds === 'rates';
  if (isBudgetless) {
    const message = `rates of single weights ${NOTHING_GAINED}: say a percentage, or search for rates of heads and channels`;
    diagnostics.add('structure/sparsity', place('at'), message);
  }
  const isMisplaced = tellUnfitUpdate(content, place('update'), context);
  tellOtherMeans(parsed, content, context);
  return isPattern || isBudgetless || isMisplaced;
}

/** An update has to be of what the search removes: single weights or whole components. @returns whether it is not */
function tellUnfitUpdate(content: SearchContent, span: Span, { findings }: BlockContext): boolean {
  const { update, method = DEFAULT_SEARCH_METHOD } = content;
  if (update === undefined || SEARCH_METHODS[method].finds !== 'rates') return false;
  const removes = rateTarget(content).kind === 'weights' ? 'weights' : 'structures';
  const dropsLayers = dropsWholeLayers(content);
  if (UPDATES[update.method].of === removes && !dropsLayers) return false;
  const message = dropsLayers
    ? `\`${update.method}\` has nothing to change: the search drops whole layers`
    : `\`${update.method}\` is an update of ${removes === 'weights' ? 'whole components' : 'single weights'}, and the search removes ${removes === 'weights' ? 'single weights' : 'whole components'}`;
  findings.diagnostics.add('update/misplaced', span, message);
  return true;
}

function dropsWholeLayers({ search }: SearchContent): boolean {
  return search['drop'] === 'sublayers';
}

/** What the rates of a search are of. */
export function rateTarget({ target }: SearchContent): RateTarget {
  return target ?? { kind: 'structure', ...WANDA_SP };
}

export const WANDA_SP: NamedScore = { name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } };

/** Some methods always need a calibration text; rates do where what they are measured by does. */
export function needsInputs(method: SearchMethod, content: SearchContent): boolean {
  if (content.update || SEARCH_METHODS[method].calibrates(content.search)) return true;
  const target = rateTarget(content);
  const sparsity = { kind: 'unstructured', share: 0.5 } as const;
  const uses = (rates: RateAllocation): boolean => needsCalibration(evaluationOf({ target, sparsity }, rates));
  const { rateBaselines = DEFAULT_RATE_BASELINES } = content;
  return uses(UNIFORM) || rateBaselines.some(({ rates }) => uses(rates));
}

/** Rates that remove more or less than the search does are no comparison. */
function tellOtherMeans(parsed: ParsedDeclaration, { at = [] }: SearchContent, context: BlockContext): void {
  const [sparsity = DEFAULT_SPARSITY] = at;
  const property = propertyNamed(parsed, 'baselines');
  if (sparsity.kind !== 'unstructured' || property?.tree.syntax === undefined) return;
  const quiet = { ...context, findings: { diagnostics: new DiagnosticList(), sites: undefined } };
  for (const value of property.tree.syntax.values) {
    const rates = value.kind === 'list' && readNamedRates(new PropertyReader(property, quiet), value)?.rates;
    if (!rates || rates.kind !== 'given') continue;
    const mean = meanRate(rates.rates);
    if (Math.abs(mean - sparsity.share) < MEAN_TOLERANCE) continue;
    const removes = printSparsity({ kind: 'unstructured', share: Number(mean.toFixed(4)) });
    const message = `these rates remove ${removes} in the mean, and the search ${printSparsity(sparsity)}`;
    context.findings.diagnostics.add('search/baseline', shift(value.span, property.base), message);
  }
}

const MEAN_TOLERANCE = 0.005;
