import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isHubReference } from '../../experiment/hubReference.ts';
import { fieldOf } from '../../tasks/document.ts';
import type { Document } from '../../tasks/document.ts';
import { templateFields } from '../check/templates.ts';
import { didYouMean, DIAGNOSTIC_CODES, shift } from '../check/diagnostics.ts';
import type { Diagnostic, DiagnosticCode } from '../check/diagnostics.ts';
import type { CompiledDocument, TaskDeclaration } from '../check/document.ts';
import { nearestName } from '../../metric/nearest.ts';
import type { BindingSyntax, ExpressionSyntax, Span } from '../syntax/syntax.ts';

/** The first documents of a file, or why there are none: what an editor tells of a task of one's own. */
export type FirstDocuments = { readonly documents: readonly Document['fields'][] } | { readonly problem: string };

/** The file of a task as it is read: absolute; undefined where it is on the hub, or the `.prune` file is on no disk. */
export function taskFile(uri: string, { file }: Pick<TaskDeclaration, 'file'>): string | undefined {
  if (file === undefined || file.trim() === '' || isHubReference(file) || !uri.startsWith('file:')) return undefined;
  return resolve(dirname(fileURLToPath(uri)), file);
}

/** The tasks of a file that are read to see whether they fit. */
export function declaredTaskFiles(
  uri: string,
  { declarations }: CompiledDocument,
): ReadonlyMap<string, TaskDeclaration> {
  return new Map(
    declarations.flatMap((declaration) => {
      const file = declaration.kind === 'task' ? taskFile(uri, declaration) : undefined;
      return declaration.kind === 'task' && file !== undefined ? [[file, declaration]] : [];
    }),
  );
}

/** The names that documents have fields of, those inside of others among them: `choices`, `choices.text`. */
export function fieldNames(first: FirstDocuments | undefined): readonly string[] {
  const names = new Set<string>();
  for (const document of first && 'documents' in first ? first.documents : []) {
    for (const [name, value] of Object.entries(document)) {
      names.add(name);
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      for (const inner of isObject ? Object.keys(value) : []) names.add(`${name}.${inner}`);
      if (names.size > MOST_NAMES) return [...names];
    }
  }
  return [...names];
}

const MOST_NAMES = 200;

/** What the first documents lack of what the tasks of a file say. @param firstOf of a declaration, as far as known */
export function documentFindings(
  { parsed, declarations }: CompiledDocument,
  firstOf: (declaration: TaskDeclaration) => FirstDocuments | undefined,
): readonly Diagnostic[] {
  const tasks = declarations.filter((declaration) => declaration.kind === 'task');
  if (tasks.length === 0) return [];
  const pieces = new Map(parsed.declarations.map((piece) => [piece.start, piece]));
  return tasks.flatMap((declaration) => {
    if (declaration.task === undefined) return [];
    const piece = pieces.get(declaration.start);
    const syntax = piece?.tree?.syntax;
    const first = firstOf(declaration);
    if (piece === undefined || syntax?.kind !== 'task' || first === undefined) return [];
    return findingsOf(syntax, first).map((found) => shifted(found, piece.base));
  });
}

function shifted(found: Diagnostic, by: number): Diagnostic {
  const fixes = found.fixes?.map((fix) => ({
    ...fix,
    edits: fix.edits.map((edit) => ({ ...edit, ...shift(edit, by) })),
  }));
  return { ...found, ...shift(found, by), ...(fixes && { fixes }) };
}

/** Places count from the start of the piece. */
function findingsOf({ path }: BindingSyntax, first: FirstDocuments): readonly Diagnostic[] {
  if (path === undefined) return [];
  if ('problem' in first) return [warning('task/documents', path.span, first.problem)];
  const [document] = first.documents;
  if (document === undefined) return [warning('task/documents', path.span, 'there are no documents in it')];
  const names = fieldNames(first);
  return path.arguments
    .flatMap(({ name, value }) => (name === undefined ? [] : fieldsIn(name.text, value)))
    .flatMap(({ field, span }): Diagnostic[] => {
      const lacking = first.documents.findIndex((fields) => fieldOf({ fields }, field) === undefined);
      if (lacking < 0) return [];
      const { suffix, ...fixes } = didYouMean(span, nearestName(field, names));
      const has =
        names.length === 0
          ? 'it has no fields'
          : `it has ${names
              .slice(0, 12)
              .map((each) => `\`${each}\``)
              .join(', ')}`;
      const message = `document ${lacking + 1} has no field \`${field}\`${suffix === '' ? `: ${has}` : suffix}`;
      return [{ ...warning('task/documents', span, message), ...fixes }];
    });
}

function fieldsIn(
  argument: string,
  value: ExpressionSyntax,
): readonly { readonly field: string; readonly span: Span }[] {
  if (argument === 'context') return value.kind === 'text' ? templateFields(value) : [];
  if (argument !== 'choices' && argument !== 'gold') return [];
  if (value.kind === 'list') return value.values.flatMap((each) => (each.kind === 'text' ? templateFields(each) : []));
  if (value.kind === 'name') return [{ field: value.name, span: value.span }];
  return value.kind === 'text'
    ? [{ field: value.text, span: { start: value.span.start + 1, end: value.span.end - 1 } }]
    : [];
}

function warning(code: DiagnosticCode, span: Span, message: string): Diagnostic {
  return { code, severity: DIAGNOSTIC_CODES[code], start: span.start, end: span.end, message };
}
