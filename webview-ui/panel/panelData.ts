import { unpackCandidates } from '../../src/experiment/candidateColumns.ts';
import type { TimedCandidate } from '../../src/experiment/candidateColumns.ts';
import type {
  BaselineEvent,
  FinalistEvent,
  FinishedEvent,
  GenerationEvent,
  OpenedEvent,
  QuarantinedEvent,
} from '../../src/experiment/searchEvents.ts';
import type {
  Curves,
  PanelItem,
  PanelRun,
  RunLine,
  RunState,
  ToPanel,
} from '../../src/extension/search/panelMessages.ts';

/** Everything that the panel shows: a fold over the extension's messages. Grown in place, since a run can have many thousands. */
export interface PanelData {
  run: PanelRun | undefined;
  state: RunState | undefined;
  /** Whether all that the journal holds has arrived. */
  complete: boolean;
  opened: OpenedEvent | undefined;
  /** When the model was loaded, milliseconds since 1970. */
  openedAt: number;
  baselines: BaselineEvent[];
  /** In order of id, without gaps. */
  candidates: TimedCandidate[];
  generations: GenerationEvent[];
  /** Stretches without work, from one event to the next: milliseconds since 1970. */
  pauses: { from: number; to: number }[];
  finalists: FinalistEvent[];
  quarantined: QuarantinedEvent[];
  finished: FinishedEvent | undefined;
  lastAt: number;
  random: { line: RunLine | null; state: RunState | null };
  overlay: readonly RunLine[];
  curves: Curves | undefined;
  inserted: Readonly<Record<number, string>>;
}

export function emptyPanel(): PanelData {
  return {
    run: undefined,
    state: undefined,
    complete: false,
    opened: undefined,
    openedAt: 0,
    baselines: [],
    candidates: [],
    generations: [],
    pauses: [],
    finalists: [],
    quarantined: [],
    finished: undefined,
    lastAt: 0,
    random: { line: null, state: null },
    overlay: [],
    curves: undefined,
    inserted: {},
  };
}

/** Takes a message in. Returns the data that is shown from now on. */
export function receive(data: PanelData, message: ToPanel): PanelData {
  switch (message.kind) {
    case 'run':
      return { ...emptyPanel(), run: message.run, lastAt: message.run.createdAt };
    case 'events':
      for (const item of message.items) take(data, item);
      data.complete = message.complete;
      return data;
    case 'state':
      data.state = message.state;
      return data;
    case 'random':
      data.random = { line: message.line, state: message.state };
      return data;
    case 'overlay':
      data.overlay = message.lines;
      return data;
    case 'curves':
      data.curves = message.curves;
      return data;
    case 'inserted':
      data.inserted = message.names;
      return data;
  }
}

function take(data: PanelData, item: PanelItem): void {
  if ('candidates' in item) {
    const candidates = unpackCandidates(item.candidates);
    data.candidates.push(...candidates);
    data.lastAt = candidates.at(-1)?.at ?? data.lastAt;
    return;
  }
  const { event, at } = item;
  switch (event.kind) {
    case 'opened':
      data.opened = event;
      data.openedAt ||= at;
      break;
    case 'baseline':
      data.baselines.push(event);
      break;
    case 'generation':
      data.generations.push(event);
      break;
    case 'finalist':
      data.finalists.push(event);
      break;
    case 'quarantined':
      data.quarantined.push(event);
      break;
    case 'resumed':
      data.pauses.push({ from: data.lastAt, to: at });
      break;
    case 'finished':
      data.finished = event;
      break;
    // The state says these; single measurements are in the candidates that they led to.
    case 'paused':
    case 'failed':
    case 'probed':
    case 'measured':
  }
  data.lastAt = at;
}
