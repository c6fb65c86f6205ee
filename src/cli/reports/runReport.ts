import type { SeenWorker } from '../../experiment/seenWorker.ts';
import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import { foldEvent } from '../../search/folds.ts';
import type { AnySearchState } from '../../search/folds.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { JournalRecord } from '../../runs/journalLine.ts';
import { isRunOf, runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { newMaskState } from '../../search/masks/state.ts';
import { newRateState } from '../../search/rates/state.ts';
import { newRecoveryState } from '../../search/recovery/state.ts';
import { newMetricState } from '../../search/metrics/state.ts';
import type { SearchStatus } from '../../search/lifecycle/state.ts';
import { maskReportLines, maskSearchResult } from './maskReport.ts';
import { recoveryReportLines, recoveryResult } from './recoveryReport.ts';
import { rateReportLines, rateSearchResult } from './rateReport.ts';
import { metricReportLines } from './searchReport.ts';
import { searchResult } from './searchResult.ts';
import { workersKey, workersText } from './workersText.ts';
import { progressLine } from './progressBar.ts';
import type { Terminal } from '../terminal.ts';
import type { RunLines } from './runLines.ts';

/** Takes what happens in a run. */
export interface RunReport {
  /** Events that the run had before, in their order. */
  recall(record: JournalRecord): void;
  begin(): void;
  /** How far the opening of the search is, before anything happens in it. */
  progress(progress: EvaluationProgress): void;
  event(record: JournalRecord): void;
  /** Who there is to answer over a queue. */
  workers(seen: readonly SeenWorker[]): void;
  /** Of a run that is finished or paused. */
  end(): void;
  /** Whether the model was loaded: before that there is nothing to go on with. */
  readonly isOpen: boolean;
  readonly status: SearchStatus;
}

/** What is known of a run, and how it is told: the same for each kind of run. */
export interface RunStory {
  readonly state: AnySearchState;
  readonly lines: RunLines;
  /** The last object of `--json`. */
  result(): object;
}

export function storyOf(run: RunFolder, terminal: Pick<Terminal, 'out'>): RunStory {
  if (isRunOf(run, 'rates')) {
    const state = newRateState();
    return { state, lines: rateReportLines(run, state, terminal), result: () => rateSearchResult(run, state) };
  }
  if (isRunOf(run, 'masks')) {
    const state = newMaskState();
    return { state, lines: maskReportLines(run, state, terminal), result: () => maskSearchResult(run, state) };
  }
  if (isRunOf(run, 'recovery')) {
    const state = newRecoveryState();
    return { state, lines: recoveryReportLines(run, state, terminal), result: () => recoveryResult(run, state) };
  }
  const state = newMetricState();
  const searched = run as RunFolder<MetricSearchPlan>;
  const lines = metricReportLines(searched, state, terminal);
  return { state, lines, result: () => searchResult(searched, state) };
}

/** What happens one object a line; the first says which run it is, the last what came of it. */
export function jsonRunReport(run: RunFolder, terminal: Terminal): RunReport {
  const story = storyOf(run, terminal);
  let told = '';
  const print = (object: object): void => {
    terminal.print(JSON.stringify(object));
  };
  return {
    recall: ({ event, at }) => {
      foldEvent(story.state, event, at);
    },
    begin: () => {
      const { name, protocol } = run.record.plan;
      print({ kind: 'run', run: runName(run), folder: run.folder, name, ...(protocol !== undefined && { protocol }) });
    },
    progress: () => undefined,
    event: ({ seq, at, event }) => {
      foldEvent(story.state, event, at);
      print({ seq, at, ...event });
    },
    workers: (seen) => {
      const key = workersKey(seen);
      if (key !== told) print({ kind: 'workers', workers: seen });
      told = key;
    },
    end: () => {
      print({ kind: 'result', ...story.result() });
    },
    get isOpen() {
      return story.state.opening !== undefined;
    },
    get status() {
      return story.state.status;
    },
  };
}

/** Under which protocol a search is, where it is under one. */
export function protocolLines({ record: { plan } }: Pick<RunFolder, 'record'>): readonly string[] {
  return plan.protocol === undefined ? [] : [`protocol ${plan.protocol}, but for what the search says itself`];
}

/** A line for each part of the search, a table at the end, and a status line while it works. @param command that goes on with it */
export function humanRunReport(run: RunFolder, terminal: Terminal, command: string): RunReport {
  const story = storyOf(run, terminal);
  const { lines } = story;
  let there: string | undefined;
  let status = '';
  const show = (): void => {
    terminal.status([there, status].filter((part) => part !== undefined && part !== '').join(' · '));
  };
  return {
    recall: ({ event, at }) => {
      foldEvent(story.state, event, at);
    },
    begin: () => {
      for (const line of lines.opening()) terminal.print(line);
      for (const line of protocolLines(run)) terminal.print(line);
    },
    progress: (progress) => {
      terminal.status(progressLine(progress, terminal.statusWidth));
    },
    event: ({ event, at }) => {
      foldEvent(story.state, event, at);
      const { printed = [], said = [] } = lines.event(event);
      for (const line of printed) terminal.print(line);
      for (const line of said) terminal.say(line);
      status = lines.status(event);
      show();
    },
    workers: (seen) => {
      there = workersText(seen);
      show();
    },
    end: () => {
      terminal.print('');
      if (story.state.status === 'paused') {
        terminal.print(
          story.state.opening === undefined
            ? 'stopped before anything was measured; nothing is kept'
            : `paused; go on with: espalier ${command} --resume ${runName(run)}`,
        );
        return;
      }
      for (const line of lines.final()) terminal.print(line);
    },
    get isOpen() {
      return story.state.opening !== undefined;
    },
    get status() {
      return story.state.status;
    },
  };
}
