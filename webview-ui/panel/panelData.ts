import { unpackCandidates } from '../../src/experiment/candidateColumns.ts';
import type { Candidate } from '../../src/experiment/searchEvents.ts';
import type {
  Curves,
  PanelItem,
  PanelRun,
  RunLine,
  RunState,
  ToPanel,
} from '../../src/extension/search/panelMessages.ts';
import { bestOf, foldEvent, newSearchState } from '../../src/search/searchState.ts';
import type { SearchState } from '../../src/search/searchState.ts';

/** Everything that the panel shows: a fold over the extension's messages. */
export interface PanelData {
  readonly run: PanelRun | undefined;
  readonly state: RunState | undefined;
  /** Whether all that the journal holds has arrived. */
  readonly complete: boolean;
  /** Grows in place. */
  readonly search: SearchState;
  readonly random: { readonly line: RunLine | null; readonly state: RunState | null };
  readonly overlay: readonly RunLine[];
  readonly curves: Curves | undefined;
  /** Names of the metrics that candidates have in the file, by id. */
  readonly inserted: Readonly<Record<number, string>>;
}

export function emptyPanel(): PanelData {
  return {
    run: undefined,
    state: undefined,
    complete: false,
    search: newSearchState(),
    random: { line: null, state: null },
    overlay: [],
    curves: undefined,
    inserted: {},
  };
}

/** Takes a message in. */
export function receive(data: PanelData, message: ToPanel): PanelData {
  switch (message.kind) {
    case 'run':
      return { ...emptyPanel(), run: message.run };
    case 'events':
      for (const item of message.items) take(data.search, item);
      return { ...data, complete: message.complete };
    case 'state':
      return { ...data, state: message.state };
    case 'random':
      return { ...data, random: { line: message.line, state: message.state } };
    case 'overlay':
      return { ...data, overlay: message.lines };
    case 'curves':
      return { ...data, curves: message.curves };
    case 'inserted':
      return { ...data, inserted: message.names };
  }
}

/** The best metric: of a finished search the one that its finalists' evaluation puts first. */
export function bestCandidate({ search }: Pick<PanelData, 'search'>): Candidate | undefined {
  const [first] = search.ranking;
  return (first === undefined ? undefined : search.byId.get(first)) ?? bestOf(search);
}

function take(search: SearchState, item: PanelItem): void {
  if ('event' in item) foldEvent(search, item.event, item.at);
  else
    for (const { at, ...candidate } of unpackCandidates(item.candidates))
      foldEvent(search, { kind: 'candidate', ...candidate }, at);
}
