import path from 'node:path';
import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import type { SearchOpening } from '../../search/lifecycle/events.ts';
import type { MetricCandidate } from '../../search/metrics/events.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { Target } from '../evaluate/evaluator.ts';
import type { Outlines } from '../outlines.ts';
import { freeName } from '../freeName.ts';
import { insertBelowMetrics, newLineOf, revealMetric } from '../evaluate/insertMetric.ts';
import { fileInside, pathInside } from '../workspaceFile.ts';
import { insertedMetrics, metricText } from './insertedMetrics.ts';

export interface CandidateFileParts {
  readonly outlines: Outlines;
  readonly evaluate: (target: Target) => unknown;
}

/** Milliseconds that the language server has to see a metric that was just written. */
const PATIENCE = 5000;

/** Writes candidates into the `.prune` file that their search came from, and finds them there again. */
export class CandidateFile {
  private readonly parts: CandidateFileParts;

  constructor(parts: CandidateFileParts) {
    this.parts = parts;
  }

  /** Candidates that the open file holds, by id. */
  inserted(run: RunFolder): Readonly<Record<number, string>> {
    const uri = uriOf(run);
    const document = uri && vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
    return document ? insertedMetrics(document.getText(), run.record.id) : {};
  }

  /** Writes the candidate below the last metric, unless the file has it already; shows and selects it; and does what else is asked. */
  async insert(
    run: RunFolder<MetricSearchPlan>,
    candidate: MetricCandidate,
    opening: SearchOpening | undefined,
    then: 'insert' | 'evaluate',
  ): Promise<void> {
    const uri = await fileOf(run);
    const document = await openDocument(uri, run);
    const known = insertedMetrics(document.getText(), run.record.id)[candidate.id];
    const name = known ?? (await this.write(document, run, candidate, opening));
    await revealMetric(document, name);
    if (then === 'insert') return;
    const target = { uri: uri.toString(), name };
    await this.understood(target);
    await this.parts.evaluate(target);
  }

  private async write(
    document: vscode.TextDocument,
    { record: run }: RunFolder<MetricSearchPlan>,
    candidate: MetricCandidate,
    opening: SearchOpening | undefined,
  ): Promise<string> {
    const name = freeName(document.getText(), `evolved_${candidate.id}`);
    const origin = { runId: run.id, plan: run.plan, opening };
    const declaration = metricText(name, candidate, origin, newLineOf(document));
    const isWritten = await insertBelowMetrics(document, this.parts.outlines, declaration);
    if (!isWritten) throw missingFile({ record: run }, 'one that cannot be edited');
    return name;
  }

  /** Resolves when the language server knows the metric. */
  private async understood(target: Target): Promise<void> {
    const end = Date.now() + PATIENCE;
    while (!this.parts.outlines.find(target) && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function openDocument(uri: vscode.Uri, run: Pick<RunFolder, 'record'>): Promise<vscode.TextDocument> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch (error) {
    throw missingFile(run, error instanceof Error ? error.message : String(error));
  }
}

/** By its name alone: to look for it among what is open. */
function uriOf({ root, record: run }: RunFolder): vscode.Uri | undefined {
  const file = run.document === undefined ? undefined : pathInside(root, run.document);
  return file === undefined ? undefined : vscode.Uri.file(file);
}

/** @throws EspalierError `runs/not-found` for what is no `.prune` file of the run's workspace folder: a run.json may name any */
async function fileOf(run: RunFolder): Promise<vscode.Uri> {
  const { document } = run.record;
  if (document === undefined) throw missingFile(run, 'none: the run was started without one');
  const file = await fileInside(run.root, document);
  if (file !== undefined && path.extname(document) === '.prune') return vscode.Uri.file(file);
  throw missingFile(run, 'what is no .prune file in the folder of the run');
}

function missingFile({ record: run }: Pick<RunFolder, 'record'>, actual: string): EspalierError {
  return new EspalierError({
    code: 'runs/not-found',
    operation: 'writing a candidate into its file',
    expected: run.document ?? 'the file that the search was started from',
    actual,
    remedy: 'Copy the formula from the panel into a file of your choice.',
  });
}
