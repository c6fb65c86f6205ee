import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import type { SpeedMeasurement } from '../../experiment/speedTable.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { recordKey } from '../../runs/evaluationRecord.ts';
import { shortExperiment, shortResults } from '../results/shortText.ts';
import { speedTables } from '../results/speedTables.ts';
import { experimentLine, failureHover, failureLine, progressLine, provenanceHover, resultsLine } from './resultText.ts';
import { metricName } from './updateText.ts';

/** What stands beside a line. The tone decides the colour; every tone but `result` also says itself in words. */
export interface Annotation {
  /** Line of the declaration's name, from 0. */
  readonly line: number;
  readonly tone: 'result' | 'stale' | 'running' | 'failed';
  readonly text: string;
  /** The same where there is little room. */
  readonly short: string;
  /** Markdown. */
  readonly hover: string;
  /** Of a result: name of the metric or experiment whose pruned model can be exported. */
  readonly exports?: string;
  /** Whether that model is a smaller one, whose speed can be measured. */
  readonly isSmaller?: boolean;
}

/** A metric or experiment as the document has it now. */
export interface DeclarationView {
  readonly kind: 'metric' | 'experiment';
  readonly name: string;
  readonly line: number;
  /** What evaluating it would evaluate; undefined where it cannot be evaluated as it stands. */
  readonly planned: readonly PlannedView[] | undefined;
  readonly activity?: Activity;
  readonly failure?: ErrorData;
}

export interface PlannedView {
  readonly key: string;
  readonly metric: string;
}

export interface Activity {
  readonly state: 'waiting' | 'running';
  readonly progress?: EvaluationProgress;
}

/** Whether a record's inputs are still what they were; `unknown` until their hashes are at hand. */
export type Freshness = 'same' | 'changed' | 'unknown';

export interface AnnotationInput {
  readonly declarations: readonly DeclarationView[];
  /** Those of this document, oldest first. */
  readonly records: readonly EvaluationRecord[];
  readonly freshness: (record: EvaluationRecord) => Freshness;
  /** Size and speed, where they were measured. */
  readonly speedOf: (record: EvaluationRecord) => SpeedMeasurement | undefined;
}

/**
 * What to show beside every metric and experiment of a document: what runs, else why it failed, else the last results. A
 * result is shown as current only while the document still asks for exactly that evaluation and its inputs are unchanged.
 */
export function annotate({ declarations, records, freshness, speedOf }: AnnotationInput): Annotation[] {
  const newest = new Map(records.map((record) => [recordKey(record), record]));
  const annotations: Annotation[] = [];
  for (const declaration of declarations) {
    const annotation =
      activityOf(declaration) ?? failureOf(declaration) ?? resultsOf(declaration) ?? outdatedOf(declaration);
    if (!annotation) continue;
    const canExport = annotation.tone === 'result' && declaration.planned?.some(({ metric }) => metric !== 'dense');
    annotations.push({
      line: declaration.line,
      ...annotation,
      ...(canExport === true && { exports: declaration.name }),
    });
  }
  return annotations;

  function resultsOf({ kind, name, planned }: DeclarationView): Shown | undefined {
    let found = find(planned ?? []);
    // A metric that only another experiment has evaluated: its numbers are as current as that experiment's.
    for (const other of declarations) {
      if (found.length > 0 || kind !== 'metric') break;
      if (other.kind === 'experiment') found = find((other.planned ?? []).filter(({ metric }) => metric === name));
    }
    return found.length === 0 ? undefined : shown(kind, found, planned?.length ?? found.length);
  }

  function find(planned: readonly PlannedView[]): EvaluationRecord[] {
    return planned.flatMap(({ key }) => newest.get(key) ?? []);
  }

  function shown(kind: DeclarationView['kind'], found: readonly EvaluationRecord[], asked: number): Shown {
    const results = found.map(({ result }) => result);
    if (kind === 'experiment' && found.length < asked) {
      const text = `${found.length} of ${asked} evaluated`;
      return { tone: 'stale', text, short: text, hover: provenanceHover(found) };
    }
    const text = kind === 'metric' ? resultsLine(results) : experimentLine(results);
    const short = kind === 'metric' ? shortResults(results) : shortExperiment(results);
    const states = found.map(freshness);
    if (states.includes('changed')) {
      return stale({ text, short }, found, 'the checkpoint or a text has changed since.');
    }
    if (states.includes('unknown')) {
      const unchecked = { text: `${text} · inputs not checked yet`, short: `${short} · not checked` };
      return { tone: 'stale', ...unchecked, hover: provenanceHover(found) };
    }
    return {
      tone: 'result',
      text,
      short,
      hover: [provenanceHover(found), ...speedTables(found, speedOf)].join('\n\n'),
      isSmaller: results.some(({ structure }) => structure !== undefined),
    };
  }

  /** The last result of a metric that is not what would be evaluated now. */
  function outdatedOf({ kind, name }: DeclarationView): Shown | undefined {
    if (kind !== 'metric') return undefined;
    const last = records.findLast(({ result }) => metricName(result.metric) === name);
    if (!last) return undefined;
    const words = { text: resultsLine([last.result]), short: shortResults([last.result]) };
    return stale(words, [last], 'the metric or what it is evaluated on has changed since.');
  }
}

type Shown = Omit<Annotation, 'line'>;

const SHORT_FAILURE = 40;

function activityOf({ activity }: DeclarationView): Shown | undefined {
  if (!activity) return undefined;
  const text =
    activity.state === 'waiting' ? 'waiting for the evaluation before it …' : progressLine(activity.progress);
  return {
    tone: 'running',
    text,
    short: text,
    hover: 'Cancel with the lens above, or with the command *Espalier: Cancel Evaluation*.',
  };
}

function failureOf({ failure }: DeclarationView): Shown | undefined {
  if (!failure) return undefined;
  const line = failureLine(failure);
  const short = line.length > SHORT_FAILURE ? `${line.slice(0, SHORT_FAILURE - 1)}…` : line;
  return { tone: 'failed', text: `✗ ${line}`, short: `✗ ${short}`, hover: failureHover(failure) };
}

function stale(
  { text, short }: Pick<Shown, 'text' | 'short'>,
  records: readonly EvaluationRecord[],
  why: string,
): Shown {
  return { tone: 'stale', text: `stale: ${text}`, short: `stale: ${short}`, hover: provenanceHover(records, why) };
}
