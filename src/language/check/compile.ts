import { EspalierError } from '../../base/errors.ts';
import type { Expression } from '../../metric/expression.ts';
import { compileDeclarations } from './declarations.ts';
import { compileDefinitions } from './definitions.ts';
import { DiagnosticList, shift } from './diagnostics.ts';
import type { Fix } from './diagnostics.ts';
import type { CompiledDocument } from './document.ts';
import { compileExpression } from './expressions.ts';
import type { Findings } from './findings.ts';
import { MetricCache } from './metricCache.ts';
import { NameTable } from './names.ts';
import { parseExpressionText } from '../syntax/parse.ts';
import { NO_FILE, parsePieces } from '../syntax/pieces.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { nearestKeyword } from '../syntax/split.ts';
import { strayText } from '../syntax/syntaxProblem.ts';
import type { SyntaxProblem } from '../syntax/syntaxProblem.ts';
import { DECLARATION_KEYWORDS } from '../syntax/words.ts';

/** Longer files are refused whole: ten thousand metrics fit. In UTF-16 units. */
const MAX_FILE_LENGTH = 1_000_000;

/**
 * Reads a `.prune` file: never throws, whatever the text. Time grows with the text's length; with the previous version at
 * hand only what changed is parsed.
 */
export function compile(text: string, previous?: CompiledDocument): CompiledDocument {
  const diagnostics = new DiagnosticList();
  const findings: Findings = { diagnostics, sites: undefined };
  const metrics = new MetricCache(previous?.metrics);
  if (text.length > MAX_FILE_LENGTH) {
    const message = `a .prune file has at most ${MAX_FILE_LENGTH} characters, and this one has ${text.length}`;
    diagnostics.add('file/too-large', { start: 0, end: firstLineEnd(text) }, message);
    return { text, diagnostics: diagnostics.sorted(), declarations: [], parsed: NO_FILE, metrics };
  }
  const parsed = parsePieces(text, previous?.parsed);
  reportSyntax(text, parsed.declarations, diagnostics);
  const declarations = compileDeclarations(text, parsed.declarations, findings, metrics);
  return { text, diagnostics: diagnostics.sorted(), declarations, parsed, metrics };
}

/**
 * The closed expression of a formula outside of any file, infix or prefix: `W * sqrt(X)`, `mul(W, sqrt(X))`.
 * @throws EspalierError `metric/syntax` with the first mistake and its place
 */
export function parseExpression(text: string): Expression {
  const diagnostics = new DiagnosticList();
  if (text.length > MAX_FILE_LENGTH) {
    diagnostics.add('file/too-large', { start: 0, end: 0 }, `a formula has at most ${MAX_FILE_LENGTH} characters`);
  }
  const { syntax, problem } = diagnostics.isEmpty ? parseExpressionText(text) : {};
  if (problem !== undefined) diagnostics.add(problem.code, problem.span, problem.message);
  const names = new NameTable();
  const findings: Findings = { diagnostics, sites: undefined };
  const context = compileDefinitions(names, findings).context(0, findings);
  const compiled = syntax && diagnostics.isEmpty ? compileExpression(syntax, context) : undefined;
  if (compiled?.constant !== undefined) {
    const span = { start: 0, end: text.length };
    diagnostics.add('metric/constant', span, `this is ${compiled.constant} for every weight and cannot rank them`);
  }
  const mistake = diagnostics.sorted().find(({ severity }) => severity === 'error');
  if (compiled !== undefined && mistake === undefined) return compiled.expression;
  const shown = text.length <= 80 ? text : `${text.slice(0, 77)}…`;
  throw new EspalierError({
    code: 'metric/syntax',
    operation: `reading the metric \`${shown}\``,
    expected: 'a formula such as `W * sqrt(X)` or `mul(W, sqrt(X))`',
    actual: mistake ? `at character ${mistake.start + 1}: ${mistake.message}` : 'nothing that can be read',
    remedy: 'Mend the formula.',
  });
}

function reportSyntax(text: string, pieces: readonly ParsedDeclaration[], diagnostics: DiagnosticList): void {
  for (const { keyword, misspelt, start, end, base, tree, properties } of pieces) {
    if (keyword === undefined) {
      const stray = strayText(text.slice(start, end));
      if (stray) reportKeyword(text, shift(stray, start), diagnostics);
    } else if (misspelt !== undefined) {
      reportKeyword(text, { start, end: start + misspelt.length }, diagnostics);
    }
    if (tree?.problem) reportProblem(tree.problem, base, diagnostics);
    for (const property of properties) {
      if (property.tree.problem) reportProblem(property.tree.problem, property.base, diagnostics);
    }
  }
}

function reportProblem(problem: SyntaxProblem, base: number, diagnostics: DiagnosticList): void {
  const span = shift(problem.span, base);
  const { replacement } = problem;
  const fixes: Fix[] =
    replacement === undefined ? [] : [{ title: `Write \`${replacement}\``, edits: [{ ...span, text: replacement }] }];
  diagnostics.add(problem.code, span, problem.message, fixes.length > 0 ? { fixes } : {});
}

function reportKeyword(text: string, span: { start: number; end: number }, diagnostics: DiagnosticList): void {
  const written = text.slice(span.start, span.end);
  const near = nearestKeyword(written);
  const message =
    near === undefined
      ? `a declaration begins with ${DECLARATION_KEYWORDS.map((keyword) => `\`${keyword}\``).join(', ')}`
      : `unknown declaration \`${written}\`: did you mean \`${near}\`?`;
  const fixes =
    near === undefined ? {} : { fixes: [{ title: `Replace with \`${near}\``, edits: [{ ...span, text: near }] }] };
  diagnostics.add('syntax/keyword', span, message, fixes);
}

function firstLineEnd(text: string): number {
  const end = /[\n\r]/.exec(text.slice(0, 1000))?.index ?? 1000;
  return Math.max(1, end);
}
