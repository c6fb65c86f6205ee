import { formatSeconds } from '../../experiment/format.ts';
import type { EvaluationProgress } from '../../experiment/resultSchema.ts';

type Progress = Omit<EvaluationProgress, 'stage'> & { readonly stage: string };

const BAR = 24;

/** `pruning ━━━━━━━━──────── 43 %  12 s left  block 3 of 6`, cut to the width. @param left seconds, where that is known */
export function progressLine(progress: Progress, width: number, left?: number): string {
  const share = progress.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : 0;
  const filled = Math.floor(share * BAR);
  const bar = '━'.repeat(filled) + '─'.repeat(BAR - filled);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const known = left === undefined ? '' : `${formatSeconds(left)} left  `;
  return `${progress.stage.padEnd(10)} ${bar} ${percent}  ${known}${progress.detail}`.slice(0, Math.max(0, width - 1));
}
