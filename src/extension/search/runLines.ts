import type { RunFolder } from '../../runs/runFolder.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
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
      if (complete && isNews) tell({ label: run.record.plan.name, points: pointsOf(follower) }, follower);
    },
  });
  void follower.look();
  return follower;
}

/** Best perplexity so far by generation; of masks that of each checkpoint, by its step, and of a recovery that of each look at the held-out text. */
function pointsOf({ state }: RunFollower): RunLine['points'] {
  if (state.kind === 'masks')
    return state.checkpoints.flatMap(({ step, perplexity }) =>
      perplexity === null ? [] : [{ generation: step, perplexity, candidates: 0, evaluations: 0 }],
    );
  if (state.kind === 'recovery')
    return state.validations.flatMap(({ step, perplexity }) =>
      perplexity === null ? [] : [{ generation: step, perplexity, candidates: 0, evaluations: 0 }],
    );
  return state.generations.flatMap(({ generation, bestSoFar, counts: { candidates, evaluations } }) =>
    bestSoFar ? [{ generation, perplexity: bestSoFar.perplexity, candidates, evaluations }] : [],
  );
}
