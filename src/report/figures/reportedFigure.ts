import type { Figure } from '../../figures/figureSchema.ts';

/** A figure with what it is called in files and texts. */
export interface ReportedFigure {
  readonly id: string;
  readonly caption: string;
  readonly figure: Figure;
}
