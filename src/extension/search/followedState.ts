import type { ErrorData } from '../../base/errors.ts';
import { withQueueRemedy } from '../queue/queueRemedies.ts';
import { withRelativePaths } from '../workspacePaths.ts';
import type { RunActivity } from '../../view/panelMessages.ts';
import type { RunFollower } from './runFollower.ts';
import { runState } from './runState.ts';
import type { SearchRunner } from './searchRunner.ts';

/** What a run that is followed is doing, as this window knows it. */
export function stateOf(follower: RunFollower, runner: SearchRunner): RunActivity {
  const { folder } = follower.run;
  const shown = (error: ErrorData | undefined): ErrorData | undefined =>
    error && withQueueRemedy(withRelativePaths(error));
  return runState({
    status: follower.state.status,
    isDriven: follower.isDriven,
    driving: runner.drivingOf(folder),
    error: shown(runner.errorOf(folder) ?? follower.error),
    failure: shown(follower.state.error),
  });
}
