import { dirname, resolve } from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import type { FileProblemKind } from '../../files/fileProblem.ts';
import { readText } from '../../files/readBytes.ts';
import type { NamedMetric } from '../../search/metrics/plan.ts';
import type { CompiledDocument } from '../../language/check/document.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { locateDiagnostics, printDiagnostic } from '../reports/diagnostics.ts';
import type { SourceDiagnostic } from '../reports/diagnostics.ts';
import type { PlanFlags } from './plans.ts';
import { structurePrunings } from './structureFlags.ts';

/** A `.prune` file with errors: each has been located, none has been printed yet. */
export class DiagnosticsError extends EspalierError {
  readonly diagnostics: readonly SourceDiagnostic[];
  /** The file's text, to quote lines from. */
  readonly text: string;

  constructor(file: string, text: string, diagnostics: readonly SourceDiagnostic[]) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    super({
      code: 'language/errors',
      operation: `reading ${file}`,
      expected: 'no errors in the file',
      actual: errors === 1 ? '1 error' : `${errors} errors`,
      remedy: 'Mend what is marked and try again.',
      file,
    });
    this.diagnostics = diagnostics;
    this.text = text;
  }
}

export interface CompiledFile {
  /** Absolute. */
  readonly path: string;
  readonly document: CompiledDocument;
}

/**
 * Reads and compiles a `.prune` file. Warnings are printed; errors are thrown.
 *
 * @throws DiagnosticsError; EspalierError `io/read`
 */
export async function compileFile(
  file: string,
  { folder, terminal }: Pick<CommandContext, 'folder' | 'terminal'>,
): Promise<CompiledFile> {
  const path = resolve(folder, file);
  const text = await textOf(path, file);
  const { compile } = await import('../../language/check/compile.ts');
  const document = compile(text);
  const diagnostics = locateDiagnostics(file, text, document.diagnostics);
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new DiagnosticsError(file, text, diagnostics);
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === 'warning') terminal.say(printDiagnostic(diagnostic, text, terminal.err));
  }
  return { path, document };
}

/** What of a file is asked for. */
export interface FileTargets {
  /** Metrics and experiments by name. */
  readonly names: readonly string[];
  /** What components are ranked by: methods, metrics of the file, expressions. */
  readonly structures: readonly string[];
}

/**
 * The plans of a `.prune` file: of what is asked for, or of what the file evaluates by itself where nothing is. What the file
 * leaves open is taken from the flags.
 */
export async function plansOfFile(
  file: string,
  { names, structures }: FileTargets,
  flags: PlanFlags,
  outside: Pick<CommandContext, 'folder' | 'terminal'>,
): Promise<EvaluationPlan[]> {
  const { path, document } = await compileFile(file, outside);
  const { plansFor, planWith } = await import('../../language/plan/plan.ts');
  const context = { folder: dirname(path), fallback: fallbackOf(flags, outside.folder) };
  try {
    if (names.length === 0 && structures.length === 0) return plansFor(document, undefined, context);
    const named = names.flatMap((name) => plansFor(document, name, context));
    if (structures.length === 0) return named;
    const prunings = await structurePrunings(structures, metricsOf(document), outside.folder);
    return [...named, planWith(document, structures.join(', '), prunings, context)];
  } catch (thrown) {
    throw withFlags(thrown);
  }
}

/** The metrics of a file that have no errors. */
export function metricsOf({ declarations }: CompiledDocument): readonly NamedMetric[] {
  return declarations.flatMap((declaration) =>
    declaration.kind === 'metric' && declaration.expression !== undefined
      ? [{ metric: declaration.name, expression: declaration.expression }]
      : [],
  );
}

/** What a file does not say can be said here too. */
export function withFlags(thrown: unknown): unknown {
  if (!(thrown instanceof EspalierError) || thrown.code !== 'settings/invalid') return thrown;
  const { data } = thrown;
  const remedy = `${data.remedy} Or say it here: --model, --text, --calibration.`;
  return new EspalierError({ ...data, remedy });
}

function fallbackOf({ model, text, calibration, settings }: PlanFlags, folder: string) {
  return {
    ...(model === undefined ? {} : { model: resolve(folder, model) }),
    ...(text === undefined ? {} : { text: resolve(folder, text) }),
    ...(calibration === undefined ? {} : { calibration: resolve(folder, calibration) }),
    settings,
  };
}

/** Bytes of the longest file that the language reads, and far more than anyone writes. */
const MAX_BYTES = 4 << 20;

async function textOf(path: string, file: string): Promise<string> {
  try {
    return await readText(path, { maxBytes: MAX_BYTES });
  } catch (thrown) {
    const { kind, message } = fileProblem(thrown);
    throw unreadable(file, message, REMEDIES[kind] ?? 'Check the path.');
  }
}

const REMEDIES: Partial<Record<FileProblemKind, string>> = {
  folder: 'Name a file.',
  special: 'Name a file.',
  'no-size': 'Name a file.',
  'too-large': `A .prune file has at most ${MAX_BYTES}.`,
  encoding: 'Save it as UTF-8.',
};

function unreadable(file: string, actual: string, remedy: string): EspalierError {
  const operation = `reading ${file}`;
  return new EspalierError({ code: 'io/read', operation, expected: 'a .prune file in UTF-8', actual, remedy, file });
}
