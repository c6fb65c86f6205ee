import type { EvaluationProgress } from '../../experiment/resultSchema.ts';

type Progress = Omit<EvaluationProgress, 'stage'> & { readonly stage: string };

const BAR = 24;

/** `pruning ━━━━━━━━──────── 43 %  block 3 of 6`, cut to the width. */
export function progressLine(progress: Progress, width: number): string {
  const share = progress.total > 0 ? Math.min(1, Math.max(0, progress.done / progress.total)) : 0;
  const filled = Math.floor(share * BAR);
  const bar = '━'.repeat(filled) + '─'.repeat(BAR - filled);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `${progress.stage.padEnd(10)} ${bar} ${percent}  ${progress.detail}`.slice(0, Math.max(0, width - 1));
}
