import type { Figure } from '../../figures/figureSchema.ts';

/** A figure whose names have only characters that a PDF’s own fonts have: others are spelled by their code points, as in tables of LaTeX. */
export function printableFigure(figure: Figure): Figure {
  const spelled = (_: string, value: unknown): unknown =>
    typeof value === 'string' ? value.normalize('NFC').replaceAll(FOREIGN, codePoint) : value;
  return JSON.parse(JSON.stringify(figure), spelled) as Figure;
}

/** Neither ASCII nor Latin-1, nor a dash or quote of print, nor Greek. */
const FOREIGN = /[^\x20-\x7e\u00a1-\u00ff–—‘’“”…αβγδεηθκλμνπρστφχψω]/gu;

function codePoint(character: string): string {
  return `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
}
