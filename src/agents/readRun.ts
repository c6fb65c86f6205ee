import * as z from 'zod';
import { printSparsity } from '../experiment/sparsity.ts';
import { parsePrefix } from '../metric/parsePrefix.ts';
import { printInfix } from '../metric/print.ts';
import { damageError } from '../runs/journalReader.ts';
import { findRun, journalOf, runIds } from '../runs/runFolder.ts';
import { portablePath, withPaths } from '../runs/portablePaths.ts';
import { summariseRun } from '../runs/runSummary.ts';
import { foldEvent, newState } from '../search/folds.ts';
import type { AnySearchState } from '../search/folds.ts';
import type { RunPlan } from '../search/kinds.ts';
import type { FinalistEvent } from '../search/lifecycle/events.ts';
import { fitnessOf, measuredOf } from '../search/lifecycle/outcome.ts';
import type { MetricState } from '../search/metrics/state.ts';
import type { Improvement } from '../search/lifecycle/population.ts';
import type { RateState } from '../search/rates/state.ts';
import { agentTool } from './agentTool.ts';
import { summaryOf } from './listRuns.ts';
import { taskMeans } from './taskMeans.ts';

/** Candidates, points of a curve and checkpoints that are given at most. */
const MOST = 100;

export const readRun = agentTool({
  name: 'read_run',
  title: 'Read a run',
  description:
    'What a search or recovery was asked and what it found: settings, dense model and baselines, the best candidates with formulas or rates, finalists as evaluated at the end, the best by generation.',
  access: 'read',
  input: z.strictObject({
    run: z.string().min(1).max(200).describe('Its id, or the beginning of it, as list_runs has it'),
    candidates: z.int().min(1).max(MOST).default(20).describe('How many of the best'),
  }),
  asks: ({ run }) => `read the run ${run}`,
  answer: async ({ run, candidates }, { root }) => {
    // By its name among those that there are: no path is made of what an agent says.
    const summary = await summariseRun(await findRun(root, (await runIds(root)).includes(run) ? run : run.trim()));
    const journal = journalOf(summary.run);
    const state: AnySearchState = newState(summary.run.record.plan.kind);
    for await (const records of journal.more()) for (const { event, at } of records) foldEvent(state, event, at);
    const damage = journal.damage && damageError(journal.file, journal.damage).data.actual;
    return {
      ...summaryOf(summary),
      ...(damage !== undefined && { damage }),
      asked: askedOf(withPaths(summary.run.record.plan, (file) => portablePath(root, file))),
      workedSeconds: state.times.worked / 1000,
      ...(state.opening && { opened: openedOf(state) }),
      ...found(state, candidates),
      finalists: state.finalists.map(finalistOf),
    };
  },
});

/** Its settings. Who a language model is asked through is nobody's business: the endpoint stays here, and so do the prompts. */
function askedOf(plan: RunPlan): object {
  const asked = Object.entries(plan).filter(([name]) => !KEPT_BACK.has(name));
  return {
    ...Object.fromEntries(asked),
    ...('llm' in plan && { llm: { provider: plan.llm.provider, llm: plan.llm.llm } }),
    ...('sparsity' in plan && { sparsity: printSparsity(plan.sparsity) }),
  };
}

const KEPT_BACK = new Set(['kind', 'name', 'prompts', 'llm']);

function openedOf({ opening }: AnySearchState): object {
  const { densePerplexity, blocks } = opening as { readonly densePerplexity?: number; readonly blocks?: number };
  return { densePerplexity, blocks };
}

function found(state: AnySearchState, most: number): object {
  switch (state.kind) {
    case 'metrics':
      return {
        ...populationOf(state, most, ({ expression }) => ({ formula: printInfix(parsePrefix(expression)) })),
        counts: state.counts,
      };
    case 'rates':
      return {
        ...populationOf(state, most, ({ rates, dropped }) => ({ rates, ...(dropped && { dropped }) })),
        counts: state.counts,
      };
    case 'masks':
      return { steps: state.steps, checkpoints: thinned(state.checkpoints), losses: thinned(state.losses) };
    case 'recovery':
      return { steps: state.steps, validations: thinned(state.validations), losses: thinned(state.losses) };
  }
}

type Population = MetricState | RateState;

function populationOf<State extends Population>(
  state: State,
  most: number,
  what: (candidate: State['candidates'][number]) => object,
): object {
  const ranked = [...(state.candidates as readonly State['candidates'][number][])]
    .flatMap((candidate) => {
      const fitness = fitnessOf(candidate);
      return fitness === undefined ? [] : [{ candidate, fitness }];
    })
    .sort((a, b) => a.fitness - b.fitness || a.candidate.id - b.candidate.id);
  return {
    candidates: ranked.slice(0, most).map(({ candidate }) => ({
      id: candidate.id,
      ...what(candidate),
      ...measuredOf(candidate),
      ...{ operator: candidate.operator, generation: candidate.generation, parents: candidate.parents },
      ...(candidate.outcome.kind === 'stopped' && { estimated: true }),
    })),
    improvements: thinned<Improvement>(state.improvements),
  };
}

function finalistOf({ name, result, test, error }: FinalistEvent): object {
  return {
    name,
    ...(result && { perplexity: result.perplexity, ...taskMeans(result) }),
    ...(test && { testPerplexity: test.perplexity }),
    ...(error && { error: error.code }),
  };
}

/** The first, the last, and some between them. */
function thinned<Item>(items: readonly Item[]): readonly Item[] {
  if (items.length <= MOST) return items;
  return Array.from({ length: MOST }, (_, i) => items[Math.round((i * (items.length - 1)) / (MOST - 1))]!);
}
