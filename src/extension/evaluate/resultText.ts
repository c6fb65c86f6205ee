import { byPerplexity } from '../../tasks/byPerplexity.ts';
import { describeError } from '../../base/errors.ts';
import { lengthText, offsetsText, samplesText } from '../../experiment/length.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { inputText } from '../../experiment/hubName.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { otherPerplexities } from '../../experiment/otherPerplexities.ts';
import { publishedBeside } from '../../language/check/publishedBeside.ts';
import { warningsOf, modelText } from '../../experiment/resultWarnings.ts';
import type { ErrorData } from '../../base/errors.ts';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import {
  formatChange,
  formatCount,
  formatPerplexity,
  formatSeconds,
  formatShare,
  perplexityDigits,
  shortFingerprint,
} from '../../experiment/format.ts';
import { accuracyOf, formatPercent, shortAccuracy, tasksLine } from '../../tasks/taskWords.ts';
import { askedRows, taskRows, tasksTable } from './taskText.ts';
import { recoveryLine } from '../../experiment/recoveryWords.ts';
import type { EvaluationProgress, EvaluationResult, Provenance } from '../../experiment/resultSchema.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { prunedText, thenText, updateInFull } from './updateText.ts';
import { ratesLine, removedText, structuresTable, structureTable } from './structureText.ts';

/** The sentences beside a line and in its hover. Everything that a file or a model could have chosen is escaped. */

/** One result: `ppl 145.7  (dense 143.3, +1.7 %) · acc 61.2 ± 1.1, −2.4 of dense (PIQA) · 50 % · 2.1 s · cpu`. */
export function resultLine(result: EvaluationResult): string {
  const { perplexity, densePerplexity, sparsity, tasks, seconds, provenance } = result;
  const isDense = sparsity === undefined;
  const against = isDense
    ? '(dense)'
    : `(dense ${formatPerplexity(densePerplexity)}, ${formatChange(perplexity, densePerplexity)})`;
  const asked = tasksLine(tasks);
  return [
    ...(perplexity === undefined ? [] : [`ppl ${formatPerplexity(perplexity)}  ${against}`]),
    ...(asked === undefined ? [] : [asked]),
    ...(isDense ? (perplexity === undefined ? ['dense'] : []) : [prunedText(result)]),
    `${formatSeconds(seconds)} · ${provenance.device}${underProtocol(result)}`,
  ].join(' · ');
}

/** Several results of one metric: `ppl 145.7 (+1.7 %) at 50 %, 144.1 (+0.6 %) at 50 % then admm, 171.2 (+19 %) at 2:4 · dense 143.3 · 4.0 s · cpu`. */
export function resultsLine(results: readonly EvaluationResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  if (results.length === 1) return resultLine(first);
  const each = results.map((result) => {
    const { perplexity, densePerplexity, tasks } = result;
    const accuracy = accuracyOf(tasks);
    const figures = [
      ...(perplexity === undefined
        ? []
        : [`${formatPerplexity(perplexity)} (${formatChange(perplexity, densePerplexity)})`]),
      ...(accuracy ? [shortAccuracy(accuracy)] : []),
    ];
    return `${figures.join(' ')} at ${prunedText(result)}`;
  });
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const kind = first.perplexity === undefined ? '' : 'ppl ';
  return `${kind}${each.join(', ')} · ${denseText(first)} · ${formatSeconds(seconds)} · ${first.provenance.device}${underProtocol(first)}`;
}

/** Metrics named for each sparsity beside an experiment; the hover has them all. */
const MOST_NAMED = 3;

/** An experiment: by sparsity the metrics from best to worst, `50 %: wanda 145.7, mine 150.2 · 2:4: wanda 171.2 · dense 143.3`. */
export function experimentLine(results: readonly EvaluationResult[]): string {
  const [first] = results;
  if (first === undefined) return '';
  if (first.sparsity === undefined) return resultLine(first);
  const bySparsity = new Map<string, EvaluationResult[]>();
  for (const result of results) {
    const group = removedText(result);
    bySparsity.set(group, [...(bySparsity.get(group) ?? []), result]);
  }
  const parts = [...bySparsity].map(([removed, group]) => {
    const ranked = [...group].sort(byPerplexity);
    const digits = perplexityDigits(ranked.map(({ perplexity }) => perplexity));
    const named = ranked.slice(0, MOST_NAMED).map((result) => `${result.metric} ${figuresOf(result, digits)}`);
    const more = ranked.length > MOST_NAMED ? `, ${ranked.length - MOST_NAMED} more` : '';
    return `${removed}: ${named.join(', ')}${more}`;
  });
  return `${parts.join(' · ')} · ${denseText(first)} · ${first.provenance.device}${underProtocol(first)}`;
}

/** `145.7 acc 61.2 (−2.4)`, or one of the two. */
function figuresOf({ perplexity, tasks }: EvaluationResult, digits?: number): string {
  const accuracy = accuracyOf(tasks);
  return [
    ...(perplexity === undefined ? [] : [formatPerplexity(perplexity, digits)]),
    ...(accuracy ? [shortAccuracy(accuracy)] : []),
  ].join(' ');
}

/** `dense 143.3, acc 63.6`. */
function denseText({ densePerplexity, tasks }: EvaluationResult): string {
  const accuracy = accuracyOf(tasks);
  const figures = [
    ...(densePerplexity === undefined ? [] : [formatPerplexity(densePerplexity)]),
    ...(accuracy?.dense ? [`${accuracy.name} ${formatPercent(accuracy.dense.value)}`] : []),
  ];
  return `dense ${figures.join(', ')}`;
}

/** ` · wanda, but length 1024`: a number goes nowhere without it. */
function underProtocol({ provenance: { protocol, deviations = [] } }: EvaluationResult): string {
  return protocol === undefined ? '' : ` · ${protocolText(protocol, deviations)}`;
}

/** What is being done: `evaluating · block 3 of 6 · 45 %`. */
export function progressLine(progress: EvaluationProgress | undefined): string {
  if (!progress) return 'getting ready …';
  const share = progress.total > 0 ? ` · ${Math.floor((100 * progress.done) / progress.total)} %` : ' …';
  return `${progress.detail}${share}`;
}

const LONGEST_FAILURE = 100;

/** A failure in a few words; the hover has the rest. */
export function failureLine(error: ErrorData): string {
  const text =
    error.code === 'worker/exited' ? 'the worker ended during this evaluation' : `${error.operation}: ${error.actual}`;
  const line = text.replace(/\s+/g, ' ');
  return line.length > LONGEST_FAILURE ? `${line.slice(0, LONGEST_FAILURE - 1)}…` : line;
}

export function failureHover(error: ErrorData): string {
  return `**Evaluation failed**\n\n${markdownText(describeError(error))}\n\n${markdownCode(error.code)}`;
}

/** Where the numbers come from, all of it. `note` says why they are stale, where they are. */
export function provenanceHover(records: readonly EvaluationRecord[], note?: string): string {
  const [record] = records;
  if (record === undefined) return '';
  const parts =
    records.length === 1
      ? [table([...ownRows(record), ...warningRows(records), ...sharedRows(record)]), ...structureOf(record)]
      : [
          comparison(records),
          ...tasksSideBySide(records),
          ...sideBySide(records),
          table([...updateRows(records), ...warningRows(records), ...sharedRows(record)]),
        ];
  return [...(note === undefined ? [] : [`**Stale:** ${markdownText(note)}`]), ...parts].join('\n\n');
}

function tasksSideBySide(records: readonly EvaluationRecord[]): string[] {
  const text = tasksTable(records.map(({ result }) => result));
  return text === undefined ? [] : [text];
}

function sideBySide(records: readonly EvaluationRecord[]): string[] {
  const text = structuresTable(
    records.map(({ result }) => result),
    markdownText,
  );
  return text === undefined ? [] : [text];
}

/** What differs between the evaluations of one plan, a row each. */
function comparison(records: readonly EvaluationRecord[]): string {
  const isOfText = records.some(({ result }) => result.perplexity !== undefined);
  const rows = records.map(({ result }) => {
    const { metric, perplexity, densePerplexity, seconds, fingerprint } = result;
    const cells = [
      markdownText(metric),
      markdownCode(withoutUpdate(result)),
      removedText(result),
      ...(isOfText ? [inFull(perplexity), formatChange(perplexity, densePerplexity)] : []),
      formatSeconds(seconds).replace(' ', NO_BREAK),
      markdownCode(shortFingerprint(fingerprint)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const [first] = records;
  const dense = first === undefined || !isOfText ? '' : `\n\ndense **${inFull(first.result.densePerplexity)}**`;
  const published = records.flatMap(({ result }) => {
    const found = publishedBeside(result);
    return found ? [`${markdownText(result.metric)} at ${removedText(result)} ${found.perplexity}`] : [];
  });
  const source =
    first && publishedBeside(records.find(({ result }) => publishedBeside(result))?.result ?? first.result);
  const beside = source ? `\n\npublished: ${published.join(', ')} (${markdownText(source.source)})` : '';
  return (
    [
      `| metric | expression | sparsity |${isOfText ? ' perplexity | against dense |' : ''} took | fingerprint |`,
      `|---|---|---|${isOfText ? '---|---|' : ''}---|---|`,
      ...rows,
    ].join('\n') +
    dense +
    beside
  );
}

/** A hover is narrow, and the metric's name says the update already. */
function withoutUpdate(result: EvaluationResult): string {
  const then = thenText(result);
  return result.metric.endsWith(then) ? result.expression.replace(then, '') : result.expression;
}

const NO_BREAK = '\u00A0';

/** Of structural pruning what each block has lost. */
function structureOf({ result: { structure, predicted } }: EvaluationRecord): string[] {
  return structure ? [structureTable(structure, predicted)] : [];
}

function ownRows({ result }: EvaluationRecord): Row[] {
  return [
    ...(result.perplexity === undefined ? [] : [['perplexity', perplexityRow(result)] as const]),
    ...otherRows(result),
    ...taskRows(result),
    ['expression', markdownCode(result.expression)],
    ...(result.update ? [['update', updateInFull(result.update)] as const] : []),
    ['sparsity', sparsityRow(result)],
    ...(result.recovery ? [['recovery', markdownText(recoveryLine(result.recovery))] as const] : []),
    ['fingerprint', markdownCode(result.fingerprint)],
  ];
}

function sharedRows({ result, savedAt }: EvaluationRecord): Row[] {
  const { provenance } = result;
  const { modelHash, architecture, parameters, textHash, textTokens, blocks, length, modelLength, versions } =
    provenance;
  const model = `${markdownText(architecture)}, ${formatCount(parameters)}${markdownText(modelText(provenance))}`;
  const { protocol, deviations = [], rows } = provenance;
  return [
    ...(protocol === undefined
      ? []
      : [['protocol', `**${markdownText(protocolText(protocol, deviations))}**`] as const]),
    ['checkpoint', `${file(provenance.model, modelHash)} (with tokenizer) · ${model}`],
    ...(provenance.text === undefined || textHash === undefined
      ? []
      : [
          [
            'text',
            `${file(provenance.text, textHash)} · ${textTokens} tokens, ${blocks} blocks of ${lengthText(length, modelLength)}${byRows(rows?.text)}`,
          ] as const,
        ]),
    ...askedRows(result),
    ...(provenance.calibration === undefined ? [] : [['calibration', calibrationRow(result)] as const]),
    ...(provenance.gradientSamples === undefined ? [] : [['gradients', gradientsRow(provenance)] as const]),
    ...(provenance.trainHash === undefined ? [] : [['trained on', trainedRow(provenance)] as const]),
    ['device', `${markdownText(provenance.deviceName)} · ${provenance.precision}`],
    ['evaluated', `${formatSeconds(result.seconds)} · ${savedAt.slice(0, 16).replace('T', ' ')} UTC`],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => markdownText(`${name} ${version}`))
        .join(', '),
    ],
  ];
}

/** Of several, each kind of update once: its settings, and how much it reached. */
function updateRows(records: readonly EvaluationRecord[]): Row[] {
  const told = records.flatMap(({ result }) => (result.update ? [updateInFull(result.update)] : []));
  return [...new Set(told)].map((text): Row => ['update', text]);
}

/** What a reader has to be told; of several results, which of them it is about, unless it is true of all. */
function warningRows(records: readonly EvaluationRecord[]): Row[] {
  const about = new Map<string, string[]>();
  for (const { result } of records) {
    for (const warning of warningsOf(result))
      about.set(warning, [...(about.get(warning) ?? []), `${result.metric} at ${removedText(result)}`]);
  }
  return [...about].map(([warning, of]): Row => {
    const whose = of.length === records.length ? '' : `${of.join(', ')}: `;
    return ['warning', `⚠ ${markdownText(`${whose}${warning}`)}`];
  });
}

/** A perplexity with all that is worth reading. */
function inFull(perplexity: number | undefined): string {
  return perplexity?.toPrecision(7) ?? '–';
}

type Row = readonly [name: string, value: string];

function table(rows: readonly Row[]): string {
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

function perplexityRow({ perplexity, densePerplexity, sparsity, provenance }: EvaluationResult): string {
  const own = `**${inFull(perplexity)}**`;
  const byToken = provenance.textWords === undefined ? '' : ', by token';
  if (sparsity === undefined) return `${own} (dense${byToken})`;
  return `${own} · dense ${inFull(densePerplexity)}, ${formatChange(perplexity, densePerplexity)}${byToken}`;
}

function sparsityRow(result: EvaluationResult): string {
  const { sparsity, structure, rates, actualSparsity, calibrate, provenance } = result;
  if (sparsity === undefined) return 'none';
  if (structure)
    return `${removedText(result)} (${formatShare(actualSparsity)} of the blocks’ weights went), ${calibrate} calibration`;
  const group = sparsity.kind === 'unstructured' && provenance.group ? `, compared by ${provenance.group}` : '';
  const byBlock = rates ? `, ${ratesLine(rates)}` : '';
  return `${removedText(result)} (${formatShare(actualSparsity)} of the prunable weights are zero)${group}${byBlock}, ${calibrate} calibration`;
}

function calibrationRow({ provenance }: EvaluationResult): string {
  const { calibration = '', calibrationHash = '', offsets, seed } = provenance;
  const samples = `${samplesText(provenance)} ${offsetsText(offsets, seed)}`;
  return `${file(calibration, calibrationHash)} · ${samples}${byRows(provenance.rows?.calibration)}`;
}

/** What G was taken on, where that was not the calibration. */
function gradientsRow(provenance: Provenance): string {
  const { gradients = provenance.calibration ?? '', gradientsHash = provenance.calibrationHash ?? '' } = provenance;
  const { gradientSamples = 0, gradientLength = 0, gradientOffsets, seed } = provenance;
  const samples = `${gradientSamples} ${gradientSamples === 1 ? 'sample' : 'samples'} of ${gradientLength} tokens`;
  const how = `${samples} ${offsetsText(gradientOffsets, seed)}`;
  return `${file(gradients, gradientsHash)} · ${how}${byRows(provenance.rows?.gradients)}`;
}

/** What a recovery was trained on, and watched on where that is a text of its own. */
function trainedRow({ train = '', trainHash = '', validate = '', validateHash, rows }: Provenance): string {
  const watched =
    validateHash === undefined
      ? ', its end held out'
      : ` · held out ${file(validate, validateHash)}${byRows(rows?.validate)}`;
  return `${file(train, trainHash)}${byRows(rows?.train)}${watched}`;
}

/** How a text was made of its rows, where not as ever. */
function byRows(rows: RowsSettings | undefined): string {
  const said = rowsText(rows);
  return said === undefined ? '' : ` · ${markdownText(said)}`;
}

/** By word and byte, which models with other tokenizers can be compared by; and what a paper has for it. */
function otherRows(result: EvaluationResult): Row[] {
  const others = otherPerplexities(result, result.perplexity);
  const dense = otherPerplexities(result, result.densePerplexity);
  const published = publishedBeside(result);
  const row = (of: 'word' | 'byte'): Row[] => {
    if (others === undefined || dense === undefined) return [];
    const against = result.sparsity === undefined ? '' : ` · dense ${dense[of].toPrecision(7)}`;
    return [[`by ${of}`, `${others[of].toPrecision(7)}${against}`]];
  };
  return [
    ...row('word'),
    ...row('byte'),
    ...(published ? [['published', `${published.perplexity} · ${markdownText(published.source)}`] as const] : []),
  ];
}

function file(name: string, hash: string): string {
  return `${markdownCode(inputText(name))} · sha-256 ${markdownCode(hash.slice(0, 12))}`;
}
