import type { RunFolder } from '../../runs/runFolder.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { fitnessIn } from '../../search/lifecycle/objective.ts';
import type { RunLine } from '../../view/panelMessages.ts';
import { RunFollower } from './runFollower.ts';

/** What ends a stretch of a run, so that its line has one more point. */
const NEWS: ReadonlySet<string> = new Set(['generation', 'probabilities', 'validated']);

/** Follows another run for its line in a panel. */
export function followLine(run: RunFolder, tell: (line: RunLine, follower: RunFollower) => void): RunFollower {
  const follower: RunFollower = new RunFollower(run, {
    clock: SYSTEM_CLOCK,
    onRecords: (records, complete) => {
      const isNews =
        records.length === 0 ||
        records.some(({ event }) => NEWS.has(event.kind)) ||
        follower.state.status !== 'running';
      const { plan } = run.record;
      if (complete && isNews)
        tell(
          {
            label: plan.name,
            objective: plan.kind === 'recovery' ? 'perplexity' : plan.search.objective,
            points: pointsOf(follower),
          },
          follower,
        );
    },
  });
  void follower.look();
  return follower;
}

/** Best fitness so far by generation; of masks that of each checkpoint, by its step. */
function pointsOf({ state }: RunFollower): RunLine['points'] {
  if (state.kind === 'masks')
    return state.checkpoints.flatMap((checkpoint) => {
      const fitness = fitnessIn(checkpoint);
      return fitness === undefined ? [] : [{ generation: checkpoint.step, fitness, candidates: 0, evaluations: 0 }];
    });
  if (state.kind === 'recovery')
    return state.validations.flatMap(({ step, perplexity }) =>
      perplexity === null ? [] : [{ generation: step, fitness: perplexity, candidates: 0, evaluations: 0 }],
    );
  return state.generations.flatMap(({ generation, bestSoFar, counts: { candidates, evaluations } }) =>
    bestSoFar ? [{ generation, fitness: fitnessIn(bestSoFar)!, candidates, evaluations }] : [],
  );
}
