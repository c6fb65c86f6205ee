import { shortFingerprint } from '../../experiment/format.ts';
import { inputText } from '../../experiment/hubName.ts';
import { isHubReference } from '../../experiment/hubReference.ts';
import { portablePath } from '../../runs/portablePaths.ts';
import { code, column, text } from '../document.ts';
import type { Cell, Table } from '../document.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { sparsityTitle } from './methods.ts';

/** Where every number comes from: hashes of the files, program versions, device, and the fingerprint over all that decides it. */
export function provenanceTable(evaluations: readonly ReportedEvaluation[]): Table | undefined {
  if (evaluations.length === 0) return undefined;
  return {
    id: 'fingerprints',
    caption: [text('Fingerprints: equal ones are of equal models, texts, settings, versions and machines.')],
    columns: [
      column('what', 'wrapped'),
      column('at', 'right'),
      column('seed', 'right'),
      column('perplexity', 'right'),
      column('fingerprint'),
      column('device'),
      column('Espalier'),
    ],
    rows: evaluations.map(({ result, inputs, from }) => [
      { line: [code(result.metric), text(` (${from})`)], exact: `${result.metric} (${from})` },
      { line: [text(sparsityTitle({ result, inputs, from }))] },
      { line: [text(String(inputs.settings.seed))] },
      { line: [text(String(result.perplexity ?? '–'))] },
      hash(result.fingerprint),
      { line: [text(`${result.provenance.device}, ${result.provenance.precision}`)] },
      { line: [text(result.provenance.versions['espalier'] ?? '–')] },
    ]),
    notes: [],
  };
}

/** Files by what they are for, with the beginning of their sha-256. @param root workspace folder: paths in it are told from there */
export function filesTable(evaluations: readonly ReportedEvaluation[], root: string): Table | undefined {
  const files = new Map<string, readonly Cell[]>();
  for (const { result } of evaluations) {
    const of = result.provenance;
    const named: readonly (readonly [string, string | undefined, string | undefined])[] = [
      ['model', of.model, of.modelHash],
      ['text', of.text, of.textHash],
      ['calibration', of.calibration, of.calibrationHash],
      ['gradients', of.gradients, of.gradientsHash],
      ['training', of.train, of.trainHash],
      ['validation', of.validate, of.validateHash],
      ...(result.tasks ?? []).map((task) => [task.task, task.documentsFile, task.documentsHash] as const),
    ];
    for (const [what, file, sha] of named) {
      if (file === undefined || sha === undefined) continue;
      files.set(`${what} ${sha}`, [{ line: [text(what)] }, { line: [code(shownPath(file, root))] }, hash(sha)]);
    }
  }
  if (files.size === 0) return undefined;
  return {
    id: 'files',
    caption: [text('Files that the numbers were computed from, by their sha-256.')],
    columns: [column('what'), column('file', 'wrapped'), column('sha-256')],
    rows: [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    notes: [],
  };
}

/** By its name and commit where it is of the hub; from the workspace folder on where it lies there: the same in another clone. */
function shownPath(file: string, root: string): string {
  const named = inputText(file);
  if (named !== file || isHubReference(file)) return named;
  const relative = portablePath(root, file);
  return relative.startsWith('../') ? file : relative;
}

function hash(full: string): Cell {
  return { line: [code(shortFingerprint(full))], exact: full };
}
