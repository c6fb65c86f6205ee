import { MAX_GROUP } from '../../experiment/limits.ts';
import { formatShare } from '../../experiment/format.ts';
import { inputName } from '../../experiment/hubName.ts';
import { blocksText, samplesText } from '../../experiment/length.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { plainLine } from '../../base/plainText.ts';
import { code, text } from '../document.ts';
import type { Inline, Line } from '../document.ts';
import { modelKeys, textKeys } from '../references/cited.ts';
import type { ReferenceKey } from '../references/references.ts';
import type { ReportedEvaluation } from '../reported.ts';

/** What tables call models, texts and methods. Names of others are cut where a column has no room; the table of methods has them in full. */

const LONGEST_NAME = 40;

export function shortName(name: string): string {
  return plainLine(name, LONGEST_NAME);
}

export function citing(keys: readonly ReferenceKey[]): Line {
  return keys.length === 0 ? [] : [text(' '), { kind: 'cite', keys }];
}

/** `50 %`, `2:4`. */
export function sparsityTitle({ result }: ReportedEvaluation): string {
  const { sparsity } = result;
  if (sparsity === undefined) return '–';
  return sparsity.kind === 'unstructured' ? formatShare(sparsity.share) : printSparsity(sparsity);
}

/** A number for the order of columns: patterns behind shares, and budgets, by what they removed, behind these. */
export function sparsityOrder({ result: { sparsity, actualSparsity } }: ReportedEvaluation): number {
  if (sparsity === undefined) return -1;
  switch (sparsity.kind) {
    case 'unstructured':
      return sparsity.share;
    case 'n:m':
      return 1 + sparsity.of + (1 - sparsity.keep / sparsity.of);
    case 'budget':
      return 2 + MAX_GROUP + actualSparsity;
  }
}

/** `of tiny`, with what it is cited by. */
export function ofModel({ inputs, result }: ReportedEvaluation): Line {
  const { architecture } = result.provenance;
  const { model } = inputs;
  return [text('of '), code(inputName(model)), ...citing(modelKeys({ model, architecture }))];
}

/** `of tiny on test.txt`, with what they are cited by. */
export function onWhat(evaluation: ReportedEvaluation): Line {
  const { inputs } = evaluation;
  const model = ofModel(evaluation);
  if (inputs.text === undefined) return model;
  return [...model, text(' on '), code(inputName(inputs.text)), ...citing(textKeys(inputs.text))];
}

/** On what it was evaluated and calibrated, in sentences below a table. */
export function conditionNotes(evaluations: readonly ReportedEvaluation[]): readonly Line[] {
  const [first] = evaluations;
  if (first === undefined) return [];
  const { provenance } = first.result;
  const calibrated = evaluations.find(({ result }) => result.provenance.calibration !== undefined);
  const rows = rowsText(provenance.rows?.text);
  const evaluated: Line = [text(`Evaluated on ${blocksText(provenance)}${rows === undefined ? '' : ` (${rows})`}.`)];
  return [
    ...(provenance.text === undefined ? [] : [evaluated]),
    ...(calibrated ? [calibrationNote(calibrated)] : []),
    ...(provenance.protocol === undefined
      ? []
      : [[text(`Protocol: ${protocolText(provenance.protocol, provenance.deviations ?? [])}.`)]]),
    [text(`Device: ${provenance.device} (${provenance.deviceName}), ${provenance.precision}.`)],
  ];
}

function calibrationNote({ inputs, result }: ReportedEvaluation): Line {
  const { provenance } = result;
  const name: Inline = code(inputName(inputs.calibration ?? provenance.calibration ?? ''));
  return [text('Calibrated on '), name, ...citing(textKeys(inputs.calibration)), text(`: ${samplesText(provenance)}.`)];
}
