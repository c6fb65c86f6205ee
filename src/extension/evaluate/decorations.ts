import * as vscode from 'vscode';
import { plainLine } from '../../base/plainText.ts';
import type { Annotation } from './annotations.ts';
import { markdownString } from '../markdownString.ts';
import { textFor } from '../results/resultForm.ts';
import type { ResultForm } from '../results/resultForm.ts';

/** Characters beside a line: far more than a window is wide. */
const LONGEST = 1000;

/** Colours of the theme; every tone but the ordinary result also says in words what it is. */
const COLOURS: Record<Annotation['tone'], { readonly color: string; readonly fontStyle: 'normal' | 'italic' }> = {
  result: { color: 'charts.foreground', fontStyle: 'normal' },
  stale: { color: 'editorCodeLens.foreground', fontStyle: 'italic' },
  running: { color: 'descriptionForeground', fontStyle: 'normal' },
  failed: { color: 'errorForeground', fontStyle: 'normal' },
};

/** Of a result with links to what can be done with the pruned model; no other command can be run from a hover. */
function hoverOf(uri: vscode.Uri, { hover, exports: name, isSmaller }: Annotation): vscode.MarkdownString {
  if (name === undefined) return markdownString(hover);
  // Parentheses are left as they are by that, and would end the link.
  const target = encodeURIComponent(JSON.stringify([{ uri: uri.toString(), name }])).replace(
    /[()]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  const links = [
    ['Try It…', 'espalier.tryIt'] as const,
    ['Export Pruned Model…', 'espalier.exportModel'] as const,
    ['Recover…', 'espalier.recover'] as const,
    ...(isSmaller === true ? [['Measure Speed', 'espalier.measureSpeed'] as const] : []),
  ];
  const text = links.map(([title, command]) => `[${title}](command:${command}?${target})`).join(' · ');
  return markdownString(
    `${hover}\n\n${text}`,
    links.map(([, command]) => command),
  );
}

/** Writes annotations behind the ends of lines. */
export class Decorations implements vscode.Disposable {
  private readonly types: Record<Annotation['tone'], vscode.TextEditorDecorationType>;

  constructor() {
    const typeOf = (tone: Annotation['tone']): vscode.TextEditorDecorationType =>
      vscode.window.createTextEditorDecorationType({
        rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
        after: {
          margin: '0 0 0 3ch',
          color: new vscode.ThemeColor(COLOURS[tone].color),
          fontStyle: COLOURS[tone].fontStyle,
        },
      });
    this.types = {
      result: typeOf('result'),
      stale: typeOf('stale'),
      running: typeOf('running'),
      failed: typeOf('failed'),
    };
  }

  /** @param room how much of each result is shown, and beside how many editors */
  show(
    editor: vscode.TextEditor,
    annotations: readonly Annotation[],
    { form, editors }: { readonly form: ResultForm; readonly editors: number },
  ): void {
    const { document } = editor;
    for (const [tone, type] of Object.entries(this.types)) {
      const options = annotations
        // The document may have become shorter since the language server looked at it.
        .filter((annotation) => annotation.tone === tone && annotation.line < document.lineCount)
        .map((annotation): vscode.DecorationOptions => {
          const { end } = document.lineAt(annotation.line).range;
          const contentText = plainLine(textFor(form, annotation, end.character, editors), LONGEST);
          const hoverMessage = hoverOf(document.uri, annotation);
          return {
            range: new vscode.Range(end, end),
            hoverMessage,
            renderOptions: { after: { contentText } },
          };
        });
      editor.setDecorations(type, options);
    }
  }

  dispose(): void {
    for (const type of Object.values(this.types)) type.dispose();
  }
}
