import { checkpointOf } from '../../../src/search/masks/checkpoint.ts';
import { unpackCandidates } from '../../../src/search/metrics/columns.ts';
import { foldEvent, newState } from '../../../src/search/folds.ts';
import type { StateOf } from '../../../src/search/folds.ts';
import type { RunPlan } from '../../../src/search/kinds.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import type { MetricCandidate } from '../../../src/search/metrics/events.ts';
import type {
  Called,
  Curves,
  Exchange,
  PanelItem,
  PanelQueue,
  PanelRun,
  RunLine,
  RunActivity,
  Speed,
  ToPanel,
} from '../../../src/view/panelMessages.ts';
import { bestOf } from '../../../src/search/metrics/state.ts';
import type { MaskPicture } from '../../../src/search/masks/picture.ts';
import { unpackSteps } from '../../../src/search/masks/columns.ts';
import { withPicture } from '../masks/pictures.ts';

/** Everything that the panel shows: a fold over the extension's messages. */
export interface PanelData<Plan extends RunPlan = MetricSearchPlan> {
  readonly run: PanelRun<Plan> | undefined;
  readonly called: Called | undefined;
  readonly state: RunActivity | undefined;
  /** Who computes it over a queue; null where nobody does. */
  readonly queue: PanelQueue | null;
  /** Whether all that the journal holds has arrived. */
  readonly complete: boolean;
  /** All that is known of the search; it grows in place. */
  readonly search: StateOf<Plan['kind']>;
  /** Checkpoints that can be looked at, in order of their steps. */
  readonly pictures: readonly MaskPicture[];
  readonly random: { readonly line: RunLine | null; readonly state: RunActivity | null };
  readonly overlay: readonly RunLine[];
  readonly curves: Curves | undefined;
  /** Names of the metrics that candidates have in the file, by id. */
  readonly inserted: Readonly<Record<number, string>>;
  readonly speed: Speed | undefined;
  readonly exchange: Exchange | undefined;
}

export function emptyPanel(): PanelData<RunPlan> {
  return {
    run: undefined,
    called: undefined,
    state: undefined,
    queue: null,
    complete: false,
    search: newState('metrics'),
    pictures: [],
    random: { line: null, state: null },
    overlay: [],
    curves: undefined,
    inserted: {},
    speed: undefined,
    exchange: undefined,
  };
}

/** Takes a message in. */
export function receive(data: PanelData<RunPlan>, message: ToPanel): PanelData<RunPlan> {
  switch (message.kind) {
    case 'run':
      return { ...emptyPanel(), run: message.run, search: newState(message.run.plan.kind) };
    case 'called':
      return { ...data, called: message.called };
    case 'events':
      return { ...data, pictures: take(data, message.items), complete: message.complete };
    case 'state':
      return { ...data, state: message.state };
    case 'queue':
      return { ...data, queue: message.queue };
    case 'random':
      return { ...data, random: { line: message.line, state: message.state } };
    case 'overlay':
      return { ...data, overlay: message.lines };
    case 'curves':
      return { ...data, curves: message.curves };
    case 'inserted':
      return { ...data, inserted: message.names };
    case 'speed':
      return { ...data, speed: message.speed };
    case 'exchange':
      return { ...data, exchange: message.exchange };
  }
}

/** The best metric: of a finished search the one that its finalists' evaluation puts first. */
export function bestCandidate({ search }: Pick<PanelData, 'search'>): MetricCandidate | undefined {
  const [first] = search.ranking;
  return (first === undefined ? undefined : search.byId.get(first)) ?? bestOf(search);
}

/** @returns the pictures, which do not grow in place */
function take({ search, pictures }: PanelData<RunPlan>, items: readonly PanelItem[]): readonly MaskPicture[] {
  let shown = pictures;
  for (const item of items) {
    if ('candidates' in item) {
      for (const { at, ...candidate } of unpackCandidates(item.candidates))
        foldEvent(search, { kind: 'candidate', ...candidate }, at);
    } else if ('steps' in item) {
      for (const step of unpackSteps(item.steps)) foldEvent(search, step, item.at);
    } else if ('picture' in item) {
      const event = { kind: 'probabilities', ...checkpointOf(item.picture), values: NO_VALUES } as const;
      foldEvent(search, event, item.at);
      shown = withPicture(shown, item.picture);
    } else foldEvent(search, item.event, item.at);
  }
  return shown;
}

/** Of the probabilities themselves the panel has the pictures. */
const NO_VALUES = { groups: '', channels: '' };
