import { markdownCode, markdownText } from '../../base/markdown.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { otherPerplexities } from '../../experiment/otherPerplexities.ts';
import { blocksText, gradientsText, samplesText } from '../../experiment/length.ts';
import { formatChange, formatCount, formatPerplexity, formatShare } from '../../experiment/format.ts';
import { roundedText } from '../../experiment/exportWords.ts';
import type { ExportReport } from '../../experiment/exportSchema.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { readerCommand, verdictText } from '../../experiment/readerWords.ts';
import type { ReaderVerdict } from '../../experiment/readersSchema.ts';
import { recoveryLine } from '../../experiment/recoveryWords.ts';
import { updateText } from '../../experiment/updates.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { inputName } from '../../experiment/hubName.ts';

/** README.md of an exported model: what was removed from which model, how, and what that did. */
export function modelCard(
  { format, result, parameters, plain, readers, rounded, notes, verification }: ExportReport,
  config: ModelConfig,
): string {
  const { provenance, structure } = result;
  const source = inputName(provenance.model);
  const layers = result.update?.layers ?? 0;
  const refitted =
    layers > 0
      ? `, and the ${layers} output projections that lost columns were refitted to what the whole ones gave`
      : '';
  const isMixture = structure?.blocks.some(({ experts }) => experts !== undefined);
  const rows: [string, string][] = [
    [
      'pruned from',
      `${markdownText([source, ...(provenance.modelNotes ?? [])].join(', '))} (sha-256 ${provenance.modelHash})`,
    ],
    [
      'method',
      result.metric === result.expression
        ? markdownCode(result.metric)
        : `${markdownText(result.metric)}: ${markdownCode(result.expression)}`,
    ],
    ['sparsity asked for', result.sparsity === undefined ? '–' : printSparsity(result.sparsity)],
    ['removed of the blocks’ weights', formatShare(result.actualSparsity)],
    ['parameters', `${formatCount(parameters.exported)}, before ${formatCount(parameters.dense)}`],
    [
      'perplexity',
      `${formatPerplexity(result.perplexity)}, before ${formatPerplexity(result.densePerplexity)} (${formatChange(result.perplexity, result.densePerplexity)})`,
    ],
    ...(rounded ? [['perplexity as stored', roundedText(rounded, result.perplexity)] as [string, string]] : []),
    ...recoveryRows(result),
    ...protocolRow(result),
    ...byWordRow(result),
    [
      'measured on',
      `${markdownText(inputName(provenance.text))}, ${blocksText(provenance)}${byRows(provenance.rows?.text)}`,
    ],
    ['calibration', calibrationText(result)],
    ['fingerprint', `\`${result.fingerprint}\``],
    [
      'computed by',
      Object.entries(provenance.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    [
      'checked',
      `read back in another process: logits of ${verification.rows} tokens differ by at most ${verification.difference.toPrecision(2)}`,
    ],
  ];
  return [
    `# ${markdownText(source)}, ${result.recovery ? 'pruned and recovered' : 'pruned'}`,
    '',
    ...(result.recovery ? [RECOVERED, ''] : []),
    structure
      ? `Whole ${isMixture ? 'experts' : 'attention heads, channels'} and blocks were removed: the matrices ${isMixture ? 'that are left are as they were' : 'are smaller'}${refitted}.`
      : `Single weights were set to zero in place${result.update ? `, and those that stay were changed (${updateText(result.update.update)})` : ''}: sizes, memory and speed are those of the model before.`,
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
    ...readersTable(readers, format),
    '',
    ...(format === 'huggingface' ? (plain ? PLAIN : UNEVEN) : CONVERTED[format]),
    ...(notes ? ['', ...notes] : []),
    ...(format === 'huggingface' && plain ? (familyOf(config).exportNote?.(config) ?? []) : []),
    '',
  ].join('\n');
}

/** Who can read it, and how. */
function readersTable(readers: ExportReport['readers'], format: ExportReport['format']): string[] {
  const ofFormat = readers.filter((each) => each.format === format);
  const row = (verdict: ReaderVerdict): string => {
    const how = verdict.verdict.startsWith('loads') ? `, \`${readerCommand(verdict)}\`` : '';
    return `| ${verdict.reader} | ${markdownText(verdictText(verdict))}${how} |`;
  };
  return ['| reader | |', '|---|---|', ...ofFormat.map(row)];
}

function recoveryRows({ recovery, provenance }: ExportReport['result']): [string, string][] {
  if (!recovery) return [];
  const { train = '', trainHash = '', validate } = provenance;
  const heldOut = validate === undefined ? 'its end held out' : `held out ${inputName(validate)}`;
  return [
    ['recovered', recoveryLine(recovery)],
    ['why training ended', markdownText(recovery.detail)],
    ['trained on', `${markdownText(`${inputName(train)}, ${heldOut}`)} (sha-256 ${trainHash})`],
  ];
}

function protocolRow({ provenance: { protocol, deviations = [] } }: ExportReport['result']): [string, string][] {
  return protocol === undefined ? [] : [['protocol', markdownText(protocolText(protocol, deviations))]];
}

function byWordRow(result: ExportReport['result']): [string, string][] {
  const others = otherPerplexities(result, result.perplexity);
  return others
    ? [['perplexity by word, by byte', `${formatPerplexity(others.word)}, ${formatPerplexity(others.byte)}`]]
    : [];
}

function byRows(rows: RowsSettings | undefined): string {
  const said = rowsText(rows);
  return said === undefined ? '' : ` (${markdownText(said)})`;
}

const RECOVERED =
  'After what is said below the model was trained a little (`recovered`), and what was learnt is in its weights.';
const ONNX = [
  'ONNX: transformers.js loads the folder, in Node and in a page, and `generate()` is right. For onnxruntime alone: `onnx/model.onnx` takes `input_ids` and',
  '`attention_mask` int64 [batch, tokens], and keys and values of earlier tokens, `past_key_values.N.key` and `.value` float32 [batch, heads, past, size], of length 0',
  'where there are none; out come `logits` float32 [batch, tokens, vocabulary] and `present.N.key` and `.value`. Keep `onnx/model.onnx_data` beside it.',
];
const GGUF = [
  'GGUF: `model.gguf` has weights and tokenizer, for llama.cpp (v0.5.0 was tried) and what is built on it. Zeros that stand for removed heads or',
  'channels, where llama.cpp wants some, are not counted as parameters.',
];
const CONVERTED = { onnx: ONNX, gguf: GGUF };
const PLAIN = [
  'config.json is one of the family: the folder loads like the model it comes from, as far as its reader goes by that.',
];
const UNEVEN = [
  'config.json says under `espalier` what the family has no fields for: sizes of single blocks, biases for what was removed. Espalier',
  'evaluates the folder like any checkpoint; programs that know neither the key nor a layout beside it refuse it.',
];

function calibrationText({ calibrate, provenance }: ExportReport['result']): string {
  if (provenance.calibration === undefined) return 'none';
  const rows = byRows(provenance.rows?.calibration);
  const on = inputName(provenance.gradients ?? provenance.calibration);
  const gradients =
    provenance.gradientSamples === undefined
      ? ''
      : `; gradients on ${markdownText(gradientsText({ ...provenance, gradients: on }))}`;
  return `${markdownText(inputName(provenance.calibration))}${rows}, ${samplesText(provenance)}, ${calibrate}${gradients}`;
}
