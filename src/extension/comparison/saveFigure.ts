import path from 'node:path';
import * as vscode from 'vscode';
import type { Figure } from '../../figures/figureSchema.ts';
import { COLUMN_STYLE, WIDTHS } from '../../figures/printStyle.ts';
import { figurePdf } from '../../figures/pdf.ts';
import { figureSvg } from '../../figures/svg.ts';
import { tellInformation } from '../messages.ts';

const FILTERS = { svg: { SVG: ['svg'] }, pdf: { PDF: ['pdf'] } };
/** As wide as the text of a page: many lines have names. */
const STYLE = { ...COLUMN_STYLE, width: WIDTHS.page };

/** Asks where to, and writes a figure at a printed size. */
export async function saveFigure(
  figure: Figure,
  format: keyof typeof FILTERS,
  root: string | undefined,
): Promise<void> {
  const name = `runs.${format}`;
  const to = await vscode.window.showSaveDialog({
    title: 'Save Figure',
    ...(root !== undefined && { defaultUri: vscode.Uri.file(path.join(root, name)) }),
    filters: FILTERS[format],
  });
  if (!to) return;
  const bytes = format === 'svg' ? new TextEncoder().encode(figureSvg(figure, STYLE)) : figurePdf(figure, STYLE);
  await vscode.workspace.fs.writeFile(to, bytes);
  void tellInformation(`${path.basename(to.fsPath)} is saved, ${STYLE.width} mm wide.`);
}
