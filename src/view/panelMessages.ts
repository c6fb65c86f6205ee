import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { countSchema } from '../base/scalarSchemas.ts';
import { metricTextSchema } from '../experiment/expressionSchema.ts';
import type { ErrorData } from '../base/errors.ts';
import type { SeenWorker } from '../experiment/seenWorker.ts';
import type { Objective } from '../search/lifecycle/objective.ts';
import type { CandidateColumns } from '../search/metrics/columns.ts';
import type { RunEvent, RunPlan } from '../search/kinds.ts';
import type { SpeedMeasurement } from '../experiment/speedTable.ts';
import type { MaskPicture } from '../search/masks/picture.ts';
import { figureSchema } from '../figures/figureSchema.ts';
import { RECOVERED_FORMS } from '../search/recovery/schema.ts';
import type { StepColumns } from '../search/masks/columns.ts';

/** What extension and search panel say to each other. Everything is plain data; the panel knows nothing but these. */
export type ToPanel =
  /** Another run, or the same one from its beginning: everything before is forgotten. */
  | { readonly kind: 'run'; readonly run: PanelRun }
  /** What the run is called, what tells it from others of its search, and what somebody said of it. */
  | { readonly kind: 'called'; readonly called: Called }
  /** What has happened since, in order. `complete`: these are all that there are now. */
  | { readonly kind: 'events'; readonly items: readonly PanelItem[]; readonly complete: boolean }
  | { readonly kind: 'state'; readonly state: RunActivity }
  /** Who computes it, where that is asked over a queue; null where it is not, or not now. */
  | { readonly kind: 'queue'; readonly queue: PanelQueue | null }
  /** Random search with the same budget, for the line beside; null where there is none. */
  | { readonly kind: 'random'; readonly line: RunLine | null; readonly state: RunActivity | null }
  | { readonly kind: 'overlay'; readonly lines: readonly RunLine[] }
  | { readonly kind: 'curves'; readonly curves: Curves }
  /** The candidates that the file holds as metrics already. */
  | { readonly kind: 'inserted'; readonly names: Readonly<Record<number, string>> }
  | { readonly kind: 'speed'; readonly speed: Speed }
  | { readonly kind: 'exchange'; readonly exchange: Exchange };

export interface Called {
  readonly title: string;
  readonly details: readonly string[];
  readonly note?: string;
}

export interface PanelQueue {
  /** Without a password. */
  readonly address: string;
  /** What starts a worker, anywhere. */
  readonly command: string;
  /** Whether a worker needs a password beside it. */
  readonly hasPassword: boolean;
  /** Null until anything was heard of them. */
  readonly workers: readonly SeenWorker[] | null;
}

/** Lines of a picture of curves: more are not told apart. */
const MOST_CURVES = 100;
/** Characters of a picture in base64: a chart of any window is far below. */
const LARGEST_PICTURE = 64 << 20;

/** A pruned model that a search has found: a candidate by its id, or what a search for masks comes to. */
export type ResultName = Immutable<z.infer<typeof resultNameSchema>>;

const resultNameSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('candidate'), id: countSchema }),
  z.strictObject({ kind: z.literal('mask') }),
]);

/** The paper's Figure 3, on demand. */
export type CurveAxis = Extract<FromPanel, { kind: 'curves' }>['over'];
export type CurveMetric = Extract<FromPanel, { kind: 'curves' }>['metrics'][number];

/** What a page may say. */
export type FromPanel = Immutable<z.infer<typeof fromPanelSchema>>;

export const fromPanelSchema = z.discriminatedUnion('kind', [
  /** The page is loaded and knows nothing. */
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('pause') }),
  z.strictObject({ kind: z.literal('resume') }),
  z.strictObject({ kind: z.literal('stop') }),
  z.strictObject({ kind: z.literal('random') }),
  z.strictObject({ kind: z.literal('insert'), id: countSchema }),
  z.strictObject({ kind: z.literal('evaluate'), id: countSchema }),
  z.strictObject({ kind: z.literal('tree'), id: countSchema }),
  z.strictObject({
    kind: z.literal('curves'),
    over: z.enum(['sparsity', 'samples']),
    metrics: z.array(z.strictObject({ label: z.string().max(1000), expression: metricTextSchema })).max(MOST_CURVES),
  }),
  z.strictObject({ kind: z.literal('cancelCurves') }),
  z.strictObject({ kind: z.literal('exportTable'), format: z.enum(['csv', 'json']) }),
  // What every PNG begins with, in base64: nothing else is written under the name of a picture.
  z.strictObject({
    kind: z.literal('exportPicture'),
    data: z.string().max(LARGEST_PICTURE).startsWith('iVBORw0KGgo'),
  }),
  /** A chart, to be written for print. */
  z.strictObject({ kind: z.literal('exportFigure'), figure: figureSchema }),
  /** What a language model was asked in this request, and what it replied. */
  z.strictObject({ kind: z.literal('exchange'), call: countSchema }),
  /** Measures the dense model and a pruned one. */
  z.strictObject({ kind: z.literal('speed'), of: resultNameSchema }),
  z.strictObject({ kind: z.literal('cancelSpeed') }),
  /** Writes the pruned model to a folder. */
  z.strictObject({ kind: z.literal('exportModel'), of: resultNameSchema }),
  /** Writes what a recovery has kept to a folder. */
  z.strictObject({ kind: z.literal('saveRecovery'), as: z.enum(RECOVERED_FORMS) }),
  z.strictObject({ kind: z.literal('showLog') }),
  /** Copies what starts a worker, or leads to what mends a queue that cannot be used. */
  z.strictObject({ kind: z.literal('queue'), wanted: z.enum(['command', 'setting', 'password']) }),
]);

/** What the panel remembers while it is hidden and over a reload of the window; it is written by the page, too. */
export type PanelMemory = Immutable<z.infer<typeof panelMemorySchema>>;
/** What the axis of a chart of perplexities shows: where the best and its rivals differ, down to dense, or everything, logarithmic. */
export type PerplexityAxis = NonNullable<PanelMemory['axis']>;

export const panelMemorySchema = z.strictObject({
  /** Folder of the run, absolute. */
  folder: z.string().min(1).max(4096),
  /** Candidate that is looked at. */
  selected: countSchema.exactOptional(),
  /** How far down, in pixels. */
  scroll: z.number().exactOptional(),
  axis: z.enum(['close', 'dense', 'all']).exactOptional(),
  /** Width that was chosen for the table's widest column, in pixels. */
  column: z.int().min(1).max(10_000).exactOptional(),
  /** The list of workers is folded away. */
  folded: z.literal(true).exactOptional(),
});

export interface PanelRun<Plan extends RunPlan = RunPlan> {
  /** Folder of the run, absolute; identifies it. */
  readonly folder: string;
  readonly id: string;
  readonly plan: Plan;
  /** What its method is called. */
  readonly methodTitle: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** The `.prune` file that asked for it, as a person names it; candidates are inserted there. */
  readonly document?: string;
}

/**
 * Candidates in a row, and steps in a row, travel as columns; of keep-probabilities a picture; of the texts of prompts and replies
 * nothing, until somebody wants to read it; everything else as it is.
 */
export type PanelItem =
  | { readonly candidates: CandidateColumns }
  | { readonly steps: StepColumns; readonly at: number }
  | { readonly picture: MaskPicture; readonly at: number }
  | { readonly event: PanelEvent; readonly at: number };

export type PanelEvent = Exclude<
  RunEvent,
  { readonly kind: 'probed' | 'workers' | 'step' | 'probabilities' | 'scores' }
>;

/** What a run is doing, as far as this window can know. */
export type RunActivity =
  /** This window's worker loads the model and collects statistics, or goes through what the journal holds. */
  | { readonly kind: 'starting'; readonly detail?: string; readonly share?: number }
  /** `detail`: what is worth a word, until something happens. */
  | { readonly kind: 'running'; readonly detail?: string }
  /** Asked to pause; what is being evaluated comes to its end. */
  | { readonly kind: 'pausing' }
  | { readonly kind: 'paused' }
  /** It ended without a word: the window or the machine went away. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  /** Another process runs it: it can be watched, not steered. */
  | { readonly kind: 'elsewhere' };

/** Best fitness so far of a run against the work done, for comparing. */
export interface RunLine {
  readonly label: string;
  /** What its fitness is: only lines of the same are comparable. */
  readonly objective: Objective;
  /** One for each generation: its number, best fitness so far, candidates and evaluations until then. */
  readonly points: readonly RunPoint[];
}

export interface RunPoint {
  readonly generation: number;
  readonly fitness: number;
  readonly candidates: number;
  readonly evaluations: number;
}

export interface Curves {
  readonly over: CurveAxis;
  readonly state: 'running' | 'done' | 'cancelled' | 'failed';
  /** Of a run in progress, 0 to 1. */
  readonly share: number;
  readonly detail: string;
  readonly densePerplexity: number | null;
  readonly lines: readonly CurveLine[];
}

export interface CurveLine {
  readonly label: string;
  /** Sparsity as a share, or the number of samples. */
  readonly points: readonly { readonly at: number; readonly perplexity: number }[];
  /** Why a point is missing. */
  readonly errors: readonly string[];
}

/** A request to a language model, in full. */
export interface Exchange {
  readonly call: number;
  readonly prompt: string;
  /** The reply, or why there is none. */
  readonly reply: string;
  /** Model that replied, as it calls itself. */
  readonly model?: string;
}

/** Parameters, size and measured speed of the dense model and of a pruned one. */
export interface Speed extends SpeedMeasurement {
  readonly of: ResultName;
}
