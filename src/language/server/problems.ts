import { CodeActionKind, DiagnosticSeverity, DiagnosticTag } from 'vscode-languageserver';
import type { CodeAction, Diagnostic as LspDiagnostic, Range } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Diagnostic, Severity } from '../check/diagnostics.ts';
import type { CompiledDocument } from '../check/document.ts';
import { rangeOf, textEdit } from './positions.ts';

/** The file's diagnostics in the protocol's form; what mends them goes along as data. */
export function lspDiagnostics({ diagnostics }: CompiledDocument, source: TextDocument): LspDiagnostic[] {
  return diagnostics.map((diagnostic) => lspDiagnostic(diagnostic, source));
}

/** The fixes of the diagnostics that a range touches. */
export function codeActions({ diagnostics }: CompiledDocument, source: TextDocument, range: Range): CodeAction[] {
  const [start, end] = [source.offsetAt(range.start), source.offsetAt(range.end)];
  return diagnostics
    .filter((diagnostic) => diagnostic.start <= end && start <= diagnostic.end)
    .flatMap((diagnostic) =>
      (diagnostic.fixes ?? []).map(({ title, edits }, i) => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [lspDiagnostic(diagnostic, source)],
        isPreferred: i === 0 && diagnostic.severity === 'error',
        edit: { changes: { [source.uri]: edits.map((edit) => textEdit(source, edit)) } },
      })),
    );
}

function lspDiagnostic(diagnostic: Diagnostic, source: TextDocument): LspDiagnostic {
  const { code, severity, message, related, fixes } = diagnostic;
  return {
    range: rangeOf(source, diagnostic),
    severity: SEVERITIES[severity],
    code,
    source: 'espalier',
    message,
    ...(code === 'name/unused' && { tags: [DiagnosticTag.Unnecessary] }),
    ...(related && {
      relatedInformation: related.map((place) => ({
        location: { uri: source.uri, range: rangeOf(source, place) },
        message: place.message,
      })),
    }),
    ...(fixes && {
      data: { fixes: fixes.map(({ title, edits }) => ({ title, edits: edits.map((edit) => textEdit(source, edit)) })) },
    }),
  };
}

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};
