import { unpackCandidates } from '../../src/search/metrics/columns.ts';
import { isMetricEvent, runKind } from '../../src/search/kinds.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import type { SearchPlan } from '../../src/search/metrics/plan.ts';
import type { Candidate } from '../../src/search/metrics/events.ts';
import type {
  Called,
  Curves,
  Exchange,
  PanelEvent,
  PanelItem,
  PanelRun,
  RunLine,
  RunState,
  Speed,
  ToPanel,
} from '../../src/view/panelMessages.ts';
import { foldMaskEvent, newMaskState } from '../../src/search/masks/state.ts';
import type { MaskState } from '../../src/search/masks/state.ts';
import { foldRateEvent, newRateState } from '../../src/search/rates/state.ts';
import type { RateState } from '../../src/search/rates/state.ts';
import { bestOf, foldEvent, newSearchState } from '../../src/search/metrics/state.ts';
import type { SearchState } from '../../src/search/metrics/state.ts';
import type { MaskPicture } from '../../src/search/masks/picture.ts';
import { unpackSteps } from '../../src/search/masks/columns.ts';
import { withPicture } from './masks/pictures.ts';

/** Everything that the panel shows: a fold over the extension's messages. `search`, `rates` or `masks` grows, by the kind of the plan. */
export interface PanelData<Plan extends RunPlan = SearchPlan> {
  readonly run: PanelRun<Plan> | undefined;
  readonly called: Called | undefined;
  readonly state: RunState | undefined;
  /** Whether all that the journal holds has arrived. */
  readonly complete: boolean;
  /** These grow in place. */
  readonly search: SearchState;
  readonly rates: RateState;
  readonly masks: MaskState;
  /** Checkpoints that can be looked at, in order of their steps. */
  readonly pictures: readonly MaskPicture[];
  readonly random: { readonly line: RunLine | null; readonly state: RunState | null };
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
    complete: false,
    search: newSearchState(),
    rates: newRateState(),
    masks: newMaskState(),
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
      return { ...emptyPanel(), run: message.run };
    case 'called':
      return { ...data, called: message.called };
    case 'events':
      return { ...data, pictures: take(data, message.items), complete: message.complete };
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
    case 'speed':
      return { ...data, speed: message.speed };
    case 'exchange':
      return { ...data, exchange: message.exchange };
  }
}

/** The best metric: of a finished search the one that its finalists' evaluation puts first. */
export function bestCandidate({ search }: Pick<PanelData, 'search'>): Candidate | undefined {
  const [first] = search.ranking;
  return (first === undefined ? undefined : search.byId.get(first)) ?? bestOf(search);
}

/** @returns the pictures, which do not grow in place */
function take(data: PanelData<RunPlan>, items: readonly PanelItem[]): readonly MaskPicture[] {
  let { pictures } = data;
  for (const item of items) {
    if ('candidates' in item) {
      for (const { at, ...candidate } of unpackCandidates(item.candidates))
        foldEvent(data.search, { kind: 'candidate', ...candidate }, at);
    } else if ('steps' in item) {
      for (const step of unpackSteps(item.steps)) foldMaskEvent(data.masks, step, item.at);
    } else if ('picture' in item) {
      const { step, baseline, perplexity, removed, leftOut } = item.picture;
      const event = { kind: 'probabilities', step, baseline, perplexity, removed, leftOut, values: NO_VALUES } as const;
      foldMaskEvent(data.masks, event, item.at);
      pictures = withPicture(pictures, item.picture);
    } else takeEvent(data, item.event, item.at);
  }
  return pictures;
}

/** Of the probabilities themselves the panel has the pictures. */
const NO_VALUES = { groups: '', channels: '' };

function takeEvent({ run, search, rates, masks }: PanelData<RunPlan>, event: PanelEvent, at: number): void {
  const kind = run ? runKind(run.plan) : 'metrics';
  if (kind === 'rates') foldRateEvent(rates, event, at);
  else if (kind === 'masks') foldMaskEvent(masks, event, at);
  else if (isMetricEvent(event)) foldEvent(search, event, at);
}
