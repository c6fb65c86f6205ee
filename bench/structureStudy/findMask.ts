import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type MaskSearchPlan } from '../../src/search/masks/plan.ts';
import type { MaskEffects } from '../../src/search/masks/effects.ts';
import { type MaskResume, resumeAfter } from '../../src/search/masks/resume.ts';
import { runMaskSearch } from '../../src/search/masks/runMaskSearch.ts';
import { SHARED_FILES } from '../work.ts';
import type { Found } from './methods.ts';
import type { StudyContext } from './studyContext.ts';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';
import type { ProbabilitiesEvent } from '../../src/search/masks/events.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';

/**
 * Policy gradient from Wanda-sp's scores. Its batches come from the fitness text, since the checkpoint was trained on the calibration text. A
 * search that was ended goes on from its last checkpoint.
 */
export async function findMask(context: StudyContext, rate: number): Promise<Found> {
  const { engine } = context;
  const plan = planOf(context, rate);
  const { steps } = plan.search;
  const opening = await engine.open(plan);
  const file = context.file('probabilities.jsonl');
  const key = JSON.stringify([opening.fingerprint, plan.search]);
  const resume = keptOf(file, key);
  const effects: MaskEffects = {
    scores: () => engine.componentScores(plan.score),
    async losses(_, masks, on) {
      const candidates = masks.map((mask) => ({ kind: 'mask', mask }) as const);
      const outcomes = await engine.measure({ candidates, on });
      return { losses: outcomes.map(({ answer }) => lossOf(answer)), seconds: 0 };
    },
    async evaluate(_, mask) {
      const on = { kind: 'blocks', begin: 0, end: opening.blocks } as const;
      const [outcome] = await engine.measure({ candidates: [{ kind: 'mask', mask }], on });
      const loss = lossOf(outcome!.answer);
      return { fitness: loss === null ? null : Math.exp(loss) };
    },
    emit(event) {
      if (event.kind === 'probabilities') {
        appendFileSync(file, `${JSON.stringify([key, event])}\n`);
        console.error(`  step ${event.step}: ${event.perplexity?.toFixed(2)}`);
      }
      return Promise.resolve();
    },
  };
  const { mask, leftOut } = await runMaskSearch(plan, effects, { opening, ...(resume && { resume }) });
  return {
    evaluation: { metric: plan.name, structure: { kind: 'mask', mask }, sparsity: plan.sparsity },
    note: `${steps} steps, ${leftOut} losses left out`,
  };
}

function planOf({ options, texts, settings }: StudyContext, rate: number): MaskSearchPlan {
  const { steps, masks, learningRate, centre, seed } = options;
  return {
    kind: 'masks',
    name: 'policy gradient',
    model: SHARED_FILES.model,
    text: texts.fitness,
    calibration: texts.fitness,
    sparsity: { kind: 'unstructured', share: rate },
    score: { kind: 'method', method: 'wanda-sp' },
    baselines: [],
    settings,
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, steps, masks, seed, centre, rate: learningRate, checkpoints: 10 },
  };
}

/** What was kept of the same search before. */
function keptOf(file: string, key: string): MaskResume | undefined {
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as [string, ProbabilitiesEvent])
    .filter(([of]) => of === key)
    .reduce<MaskResume | undefined>((resume, [, event]) => resumeAfter(resume, event), undefined);
}

function lossOf(measure: MeasureOutcome): number | null {
  return measure.kind === 'loss' ? measure.loss : null;
}
