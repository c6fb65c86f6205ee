import path from 'node:path';
import * as vscode from 'vscode';
import type { Figure } from '../figures/figureSchema.ts';
import { figurePdf } from '../figures/pdf.ts';
import { figureSvg } from '../figures/svg.ts';
import { chosenPrintStyle } from './configuration.ts';
import { iconFree, tellInformation } from './messages.ts';

const FORMATS = { 'Scalable Vector Graphics': ['svg'], 'Portable Document Format': ['pdf'] };

/**
 * Asks where to, and writes a chart or a tree for print: what the name ends in says the format.
 *
 * @param folder where the question begins
 * @param of what the figure is of: the file's name begins with it
 * @param format that the name proposed ends in
 * @throws EspalierError `figure/characters`
 */
export async function saveFigure(
  figure: Figure,
  folder: string,
  of: string,
  format: 'svg' | 'pdf' = 'svg',
): Promise<void> {
  const file = await vscode.window.showSaveDialog({
    title: `Save ${iconFree(figure.title)} for Print`,
    defaultUri: vscode.Uri.file(path.join(folder, `${of}-${fileName(figure.title)}.${format}`)),
    filters: FORMATS,
  });
  if (!file) return;
  const style = chosenPrintStyle();
  const isPdf = path.extname(file.path).toLowerCase() === '.pdf';
  await vscode.workspace.fs.writeFile(file, isPdf ? figurePdf(figure, style) : Buffer.from(figureSvg(figure, style)));
  const chosen = await tellInformation(`Saved to ${vscode.workspace.asRelativePath(file)}.`, 'Open');
  if (chosen) await vscode.commands.executeCommand('vscode.open', file);
}

/** `best-by-generation`: of letters and digits alone, whatever a metric is called. */
function fileName(title: string): string {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? ['figure'];
  return words.join('-').slice(0, 60);
}
