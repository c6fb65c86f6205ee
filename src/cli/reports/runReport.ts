import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import type { RunEvent, RunPlan } from '../../search/kinds.ts';
import { isMetricEvent, isMaskSearch, isRateSearch } from '../../search/kinds.ts';
import type { SearchPlan } from '../../search/metrics/plan.ts';
import type { JournalRecord } from '../../runs/journalLine.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { foldMaskEvent, newMaskState } from '../../search/masks/state.ts';
import { foldRateEvent, newRateState } from '../../search/rates/state.ts';
import { foldEvent, newSearchState } from '../../search/metrics/state.ts';
import type { SearchStatus } from '../../search/lifecycle/state.ts';
import { maskReportLines, maskSearchResult } from './maskReport.ts';
import { rateReportLines, rateSearchResult } from './rateReport.ts';
import { metricReportLines } from './searchReport.ts';
import { searchResult } from './searchResult.ts';
import { progressLine } from './progressBar.ts';
import type { Terminal } from '../terminal.ts';

/** Takes what happens in a run. */
export interface RunReport {
  /** Events that the run had before, in their order. */
  recall(record: JournalRecord): void;
  begin(): void;
  /** How far the opening of the search is, before anything happens in it. */
  progress(progress: EvaluationProgress): void;
  event(record: JournalRecord): void;
  /** Of a run that is finished or paused. */
  end(): void;
  /** Whether the model was loaded: before that there is nothing to go on with. */
  readonly isOpen: boolean;
  readonly status: SearchStatus;
}

/** What is known of a run, and how it is told: the same three things for each kind of search. */
export interface RunStory {
  readonly state: { readonly opening: object | undefined; readonly status: SearchStatus };
  fold(event: RunEvent, at: number): void;
  readonly lines: RunLines;
  /** The last object of `--json`. */
  result(): object;
}

/** What a person reads. */
export interface RunLines {
  /** What is searched, and with what. */
  opening(): readonly string[];
  /** What an event adds to the lines; of what goes to standard error `said`. */
  event(event: RunEvent): { readonly printed?: readonly string[]; readonly said?: readonly string[] };
  status(event: RunEvent): string;
  /** What came of it. */
  final(): readonly string[];
}

export function storyOf(run: RunFolder, terminal: Pick<Terminal, 'out'>): RunStory {
  if (is(run, isRateSearch)) {
    const state = newRateState();
    return {
      state,
      fold: (event, at) => foldRateEvent(state, event, at),
      lines: rateReportLines(run, state, terminal),
      result: () => rateSearchResult(run, state),
    };
  }
  if (is(run, isMaskSearch)) {
    const state = newMaskState();
    return {
      state,
      fold: (event, at) => foldMaskEvent(state, event, at),
      lines: maskReportLines(run, state, terminal),
      result: () => maskSearchResult(run, state),
    };
  }
  const state = newSearchState();
  return {
    state,
    fold: (event, at) => isMetricEvent(event) && foldEvent(state, event, at),
    lines: metricReportLines(run as RunFolder<SearchPlan>, state, terminal),
    result: () => searchResult(run, state),
  };
}

/** What happens one object a line; the first says which run it is, the last what came of it. */
export function jsonRunReport(run: RunFolder, terminal: Terminal): RunReport {
  const story = storyOf(run, terminal);
  const print = (object: object): void => {
    terminal.print(JSON.stringify(object));
  };
  return {
    recall: ({ event, at }) => {
      story.fold(event, at);
    },
    begin: () => {
      print({ kind: 'run', run: runName(run), folder: run.folder, name: run.run.plan.name });
    },
    progress: () => undefined,
    event: ({ seq, at, event }) => {
      story.fold(event, at);
      print({ seq, at, ...event });
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

/** A line for each part of the search, a table at the end, and a status line while it works. @param command that goes on with it */
export function humanRunReport(run: RunFolder, terminal: Terminal, command: string): RunReport {
  const story = storyOf(run, terminal);
  const { lines } = story;
  return {
    recall: ({ event, at }) => {
      story.fold(event, at);
    },
    begin: () => {
      for (const line of lines.opening()) terminal.print(line);
    },
    progress: (progress) => {
      terminal.status(progressLine(progress, terminal.statusWidth));
    },
    event: ({ event, at }) => {
      story.fold(event, at);
      const { printed = [], said = [] } = lines.event(event);
      for (const line of printed) terminal.print(line);
      for (const line of said) terminal.say(line);
      terminal.status(lines.status(event));
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

function is<Plan extends RunPlan>(run: RunFolder, guard: (plan: RunPlan) => plan is Plan): run is RunFolder<Plan> {
  return guard(run.run.plan);
}
