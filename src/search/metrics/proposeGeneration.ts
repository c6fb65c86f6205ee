import { throwIfCancelled } from '../../base/errors.ts';
import { sizeOf } from '../../metric/measure.ts';
import type { Alphabet } from './alphabet.ts';
import type { Proposed } from './candidate.ts';
import { sift } from './evaluateGeneration.ts';
import type { Sifted } from './evaluateGeneration.ts';
import type { SearchContext } from './searchContext.ts';
import { generationSize } from './generationSize.ts';
import type { MetricSearchPlan } from './plan.ts';
import type { Population } from './population.ts';
import { askForFormulas, wantedOf } from './proposals/askForFormulas.ts';
import type { ProposalContext } from './proposals/askForFormulas.ts';
import { propose } from './propose.ts';

/** What a generation is made from. */
export interface GenerationParts {
  readonly plan: MetricSearchPlan;
  readonly alphabet: Alphabet;
  readonly context: SearchContext;
  /** Finds how far candidates move that tune a constant. */
  readonly tune: (drafts: readonly Proposed[]) => Promise<readonly Proposed[]>;
  /** Where a language model proposes some of the metrics. */
  readonly proposals: ProposalContext | undefined;
}

/** The candidates of one generation, sifted. */
export async function proposeGeneration(
  generation: number,
  population: Population,
  { plan, alphabet, context, tune, proposals }: GenerationParts,
): Promise<Sifted> {
  const places = generationSize(generation, plan.search);
  const firstId = context.knowledge.counts.candidates;
  const varied = async (begin: number, count: number): Promise<readonly Proposed[]> =>
    tune(await vary(begin, count, (id) => propose(id, generation, population, plan, alphabet), context));
  if (!proposals) return sift(await varied(firstId, places), context);

  const begun = await varied(firstId, generation === 0 ? Math.min(plan.seeds.length, places) : 0);
  const early = await siftFormulas(
    generation,
    begun,
    firstId + begun.length,
    places - begun.length,
    context,
    proposals,
  );
  const taken = early.candidates.length;
  const late = await sift(await varied(firstId + taken, places - begun.length - early.evaluated), context);
  return {
    candidates: [...early.candidates, ...late.candidates],
    contenders: [...early.contenders, ...late.contenders],
    followers: [...early.followers, ...late.followers],
  };
}

/**
 * What the language model proposes for one generation, sifted with what the search starts from. A proposal that removes the same weights as a
 * known metric, or that cannot rank, takes no place: variation fills it, which is told.
 *
 * @param places that are left
 * @returns with the number of proposals that are to be evaluated
 */
async function siftFormulas(
  generation: number,
  begun: readonly Proposed[],
  firstId: number,
  places: number,
  context: SearchContext,
  proposals: ProposalContext,
): Promise<Sifted & { readonly evaluated: number }> {
  const wanted = wantedOf(proposals.plan, places);
  if (wanted === 0) return { ...(await sift(begun, context)), evaluated: 0 };
  const { formulas, shortfall } = await askForFormulas(generation, wanted, begun, proposals);
  const proposed = formulas.map(({ expression, canonical, call }, i): Proposed => ({
    ...{ id: firstId + i, generation, operator: 'proposed', parents: [], call },
    ...{ expression, canonical, size: sizeOf(expression) },
  }));
  const sifted = await sift([...begun, ...proposed], context);
  const evaluated = sifted.contenders.filter(({ operator }) => operator === 'proposed').length;
  const useless = proposed.length - evaluated;
  const count = wanted - evaluated;
  if (count > 0) {
    proposals.account.fellBack(count);
    const reasons = [shortfall, ...(useless > 0 ? [NOTHING_NEW] : [])].filter((reason) => reason !== undefined);
    await context.effects.emit({ kind: 'fallback', generation, role: 'propose', count, reason: reasons.join('; ') });
  }
  return { ...sifted, evaluated };
}

const NOTHING_NEW = 'some remove the same weights as a known metric, or cannot rank';

/** A generation of thousands is proposed in parts, so that a process can answer messages between them. */
const PART = 100;

async function vary(
  firstId: number,
  count: number,
  make: (id: number) => Proposed,
  { options }: SearchContext,
): Promise<readonly Proposed[]> {
  const made: Proposed[] = [];
  while (made.length < count) {
    made.push(make(firstId + made.length));
    if (made.length % PART !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    throwIfCancelled(options.signal, 'searching');
  }
  return made;
}
