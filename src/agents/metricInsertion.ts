import { EspalierError } from '../base/errors.ts';
import { plainLine } from '../base/plainText.ts';
import { compile, parseExpression } from '../language/check/compile.ts';
import type { CompiledDocument } from '../language/check/document.ts';
import { printInfix } from '../metric/print.ts';

/** A text that is to stand at a place of another, in UTF-16 units from its start. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

export interface ProposedMetric {
  readonly name: string;
  readonly formula: string;
  /** Why, in a line. */
  readonly comment?: string | undefined;
}

/**
 * Where a metric comes into a file, below the last one, and as what: read and printed anew, so that nothing but a metric gets in.
 *
 * @throws EspalierError `agents/input` for a name that is taken or none, `metric/syntax`; `language/errors` where the file would
 *   have an error that it does not have now
 */
export function metricInsertion(document: CompiledDocument, { name, formula, comment }: ProposedMetric): Insertion {
  const expression = parseExpression(formula);
  if (document.declarations.some((declaration) => declaration.name === name)) {
    throw nameError(name, 'a name that the file does not have yet');
  }
  const { text } = document;
  const newLine = text.includes('\r\n') ? '\r\n' : '\n';
  const metrics = document.declarations.filter(({ kind }) => kind === 'metric');
  const at = metrics.reduce((end, metric) => Math.max(end, metric.end), metrics.length === 0 ? text.length : 0);
  const said = comment === undefined ? '' : plainLine(comment);
  const declaration = [...(said === '' ? [] : [`/// ${said}`]), `metric ${name} = ${printInfix(expression)}`].join(
    newLine,
  );
  const before = text.trim() === '' ? '' : at === text.length && text.endsWith(newLine) ? newLine : newLine + newLine;
  const insertion = { at, text: `${before}${declaration}${at === text.length ? newLine : ''}` };
  requireSound(document, inserted(text, insertion), name);
  return insertion;
}

export function inserted(text: string, insertion: Insertion): string {
  return text.slice(0, insertion.at) + insertion.text + text.slice(insertion.at);
}

/** Reserved words, and whatever else the language knows and this does not. */
function requireSound(document: CompiledDocument, text: string, name: string): void {
  const after = compile(text, document);
  const errors = ({ diagnostics }: CompiledDocument): number =>
    diagnostics.filter(({ severity }) => severity === 'error').length;
  const isThere = after.declarations.some(
    (declaration) => declaration.kind === 'metric' && declaration.name === name && !declaration.broken,
  );
  if (!isThere || errors(after) > errors(document)) throw nameError(name, 'a name that a metric can have there');
}

function nameError(name: string, expected: string): EspalierError {
  return new EspalierError({
    code: 'agents/input',
    operation: 'proposing a metric',
    expected,
    actual: plainLine(name, 60),
    remedy: 'Choose another name.',
  });
}
