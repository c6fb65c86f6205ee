import * as vscode from 'vscode';
import { formatSeconds } from '../../experiment/format.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import type { BestSummary, RunSummary } from '../../runs/runSummary.ts';
import { measuredText } from '../../search/lifecycle/fitnessText.ts';

/** Which runs a person is told the end of. */
export const TOLD_ENDS = ['long', 'all', 'none'] as const;
export type ToldEnds = (typeof TOLD_ENDS)[number];

/** Seconds: whoever began a shorter one still looks at it. */
const LONG = 180;

export function chosenEnds(): ToldEnds {
  const chosen = vscode.workspace.getConfiguration('espalier').get<string>('notifications.runs', 'long');
  return TOLD_ENDS.find((each) => each === chosen) ?? 'long';
}

/** @param looksAtIt whether the editor has the focus and shows the run's panel */
export function isToldOf(ends: ToldEnds, seconds: number, looksAtIt: boolean): boolean {
  return !looksAtIt && ends !== 'none' && (ends === 'all' || seconds >= LONG);
}

/** Seconds from its beginning to its last word: pauses count, since nobody looks at it all the time. */
export function secondsOf({ lastAt, run }: Pick<RunSummary, 'lastAt' | 'run'>): number {
  return (lastAt - Date.parse(run.record.createdAt)) / 1000;
}

/** `The search mine (2) is finished after 12 min: 151.5, abs(W) * X`. */
export function endText(subject: string, name: string, summary: RunSummary): string {
  const { best } = summary;
  const found = best ? `: ${[measuredText(best), bestText(best)].filter((text) => text !== undefined).join(', ')}` : '';
  return `${subject} ${name} is finished after ${formatSeconds(secondsOf(summary))}${found}.`;
}

/** What is short enough for a message. */
function bestText(best: BestSummary): string | undefined {
  switch (best.kind) {
    case 'metric':
      return printInfix(parsePrefix(best.expression));
    case 'recovery':
      return `after ${best.step} steps`;
    case 'rates':
    case 'masks':
      return undefined;
  }
}
