import type { ComponentsOpening } from '../../src/search/lifecycle/events.ts';
import { DEFAULT_RATE_BASELINES } from '../../src/search/rates/baselines.ts';
import { configurationText, evaluationWith, measurable } from '../../src/search/rates/configuration.ts';
import type { RateEffects } from '../../src/search/rates/effects.ts';
import type { RateCounts } from '../../src/search/rates/events.ts';
import type { RateSearchPlan, RateTarget } from '../../src/search/rates/plan.ts';
import { runRateSearch } from '../../src/search/rates/runRateSearch.ts';
import { SHARED_FILES } from '../work.ts';
import { KnownLosses } from './knownLosses.ts';
import type { Found } from './methods.ts';
import type { StudyContext } from './studyContext.ts';

/** What a search for rates came to. */
export interface FoundRates extends Pick<Found, 'evaluation'> {
  readonly counts: RateCounts;
  /** What was found, for a person. */
  readonly text: string;
}

/** The plan of a search for rates, whatever its method. */
export function ratePlan({ texts, settings }: StudyContext, rate: number, target: RateTarget) {
  return {
    kind: 'rates',
    model: SHARED_FILES.model,
    text: texts.fitness,
    calibration: SHARED_FILES.calibration,
    sparsity: { kind: 'unstructured', share: rate },
    target,
    baselines: DEFAULT_RATE_BASELINES,
    settings,
  } as const satisfies Partial<RateSearchPlan>;
}

/**
 * The rates that a search finds best on the fitness text. What was measured before is not measured again, and counts all the same.
 *
 * @param opening of the plan, which the engine has open
 */
export async function findRates(
  { engine, file }: StudyContext,
  plan: RateSearchPlan,
  opening: ComponentsOpening,
  ask: RateEffects['ask'],
): Promise<FoundRates> {
  const known = new KnownLosses(file('measurements.jsonl'), opening.fingerprint);
  const effects: RateEffects = {
    measure: (configurations, rung) =>
      known.remembered(configurations, rung, async (asked) => {
        const candidates = asked.map((one) => measurable(one, opening.components));
        const on = { kind: 'blocks', begin: rung.begin, end: rung.end } as const;
        return (await engine.measure({ candidates, on })).map(({ answer }) => answer);
      }),
    ask,
    emit(event) {
      if (event.kind === 'generation' && event.generation % 5 === 0) {
        console.error(`  generation ${event.generation}: ${event.bestSoFar?.perplexity?.toFixed(2)}`);
      }
      return Promise.resolve();
    },
  };
  const { counts, finalists } = await runRateSearch(plan, effects, { opening });
  const best = finalists[0]!;
  return { evaluation: evaluationWith(plan, best, opening.components), counts, text: configurationText(best) };
}
