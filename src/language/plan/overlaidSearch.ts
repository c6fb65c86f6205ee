import { defaultBaselines } from '../../search/metrics/baselines.ts';
import type { SearchMethod } from '../../search/kinds.ts';
import { UNIFORM } from '../../experiment/structure.ts';
import { operandsOf } from '../../metric/measure.ts';
import type { BlockContent, CompiledDocument, PrunedMetric, SearchContent } from '../check/document.ts';
import type { SaidBlock } from '../check/said.ts';
import { checkSearch, missingOf, kindOf, searchOperands } from '../check/search.ts';
import { MissingInput, noDeclaration } from './planErrors.ts';
import type { PlannedInput } from './planErrors.ts';
import { planWith } from './plan.ts';
import type { PlanOverlay } from './overlay.ts';
import { contentOf, locate } from './plannedInputs.ts';
import { tasksUnder } from './plannedTasks.ts';
import { draftFrom, draftOf, searchesOf } from './searchPlan.ts';
import type { SearchDraft } from './searchPlan.ts';

/** What a search of the command line begins with. */
export interface SearchBase {
  readonly document: CompiledDocument;
  /** The file's, absolute. */
  readonly folder: string;
  readonly method: SearchMethod;
  /** A search of the file; a metric of the file to evolve; what the file evaluates on; or nothing: there is no file. */
  readonly from: { readonly search: string } | { readonly metric: string } | 'evaluation' | 'nothing';
}

/**
 * A search with what was said on top of it, checked as a search of a file is: what is wrong is told in the findings of `own`.
 *
 * @param own properties of the search, its method among them @param common those that `defaults` can say, with absolute paths
 * @throws EspalierError as `searchPlansFor` does; MissingInput
 */
export function overlaidSearch(
  base: SearchBase,
  own: SaidBlock,
  { ofTasks, ...common }: BlockContent & Pick<PlanOverlay, 'ofTasks'>,
): SearchDraft {
  const { name, content } = draftUnder(base, common);
  const under = { ...content, ...absolutePaths(content, base.folder) };
  const said = overlaid(under, own.content, common);
  const { tasks } = said;
  const over = { ...said, ...(tasks && ofTasks && { tasks: tasksUnder(tasks, ofTasks) }) };
  const [missing] = missingOf(over);
  if (missing !== undefined) throw new MissingInput('search', name, missing as PlannedInput);
  const place = { name, nameSpan: { start: own.text.length, end: own.text.length } };
  checkSearch(own.text, own.parsed, place, over, own.context);
  // The leaves are those of what is searched otherwise, whatever it starts from here.
  const operands = own.content.operands ?? searchOperands(under);
  return { name, content: { ...over, ...(kindOf(over) === 'metrics' && { operands }) } };
}

function draftUnder({ document, folder, method, from }: SearchBase, overlay: BlockContent): SearchDraft {
  if (from === 'nothing') return { name: 'search', content: NOTHING };
  const context = { folder, overlay };
  if (from !== 'evaluation') {
    if ('metric' in from) return draftFrom(document, from.metric, context);
    return draftOf(document, searchesOf(document, from.search)[0]!);
  }
  if (kindOf({ method }) === 'metrics') throw noDeclaration('search', undefined, []);
  const score = { kind: 'method', method: 'wanda-sp' } as const;
  const plan = planWith(document, method, [{ label: method, score, rates: UNIFORM }], context);
  const { evaluations, ...inputs } = plan;
  const at = evaluations.slice(0, 1).map(({ sparsity }) => sparsity);
  return {
    name: 'search',
    content: {
      ...NOTHING,
      ...contentOf(inputs),
      at,
    },
  };
}

const NOTHING: SearchContent = { settings: {}, search: {}, llm: {} };

function absolutePaths(content: SearchContent, folder: string): Partial<SearchContent> {
  const { model } = content;
  const names = (['evaluate', 'calibrate', 'gradients', 'train', 'validate', 'test'] as const).filter(
    (name) => content[name] !== undefined,
  );
  const texts: Partial<SearchContent> = Object.fromEntries(
    names.map((name) => [name, { ...content[name]!, path: locate(folder, content[name]!.path) }]),
  );
  return { ...(model !== undefined && { model: locate(folder, model) }), ...texts };
}

/** Each property goes by itself; what follows from one that is replaced is replaced with it. */
function overlaid(under: SearchContent, own: SearchContent, common: BlockContent): SearchContent {
  const { structureBaselines, ...rest } = under;
  const asking = (under.asking ?? common.asking) && { ...under.asking, ...common.asking };
  return {
    ...rest,
    // Those of another score, unless they were said.
    ...(structureBaselines && !own.score && { structureBaselines }),
    ...(own.operands && { baselines: collectedBaselines(under, own.operands) }),
    ...common,
    ...own,
    ...(asking && { asking }),
    settings: { ...under.settings, ...common.settings },
    search: { ...under.search, ...own.search },
    llm: { ...under.llm, ...own.llm },
  };
}

/** Baselines of other operands than before would have their statistics collected for them alone. */
function collectedBaselines(
  under: SearchContent,
  operands: NonNullable<SearchContent['operands']>,
): readonly PrunedMetric[] {
  const byDefault = defaultBaselines(searchOperands(under)).map((one) => ({ ...one, label: one.metric }));
  return (under.baselines ?? byDefault).filter(({ expression }) =>
    operandsOf(expression).every((name) => operands.includes(name)),
  );
}
