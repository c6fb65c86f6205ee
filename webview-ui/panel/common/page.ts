import type { RunPlan } from '../../../src/search/kinds.ts';
import type { FromPanel, PerplexityAxis } from '../../../src/view/panelMessages.ts';
import type { Theme } from '../../shared/theme.ts';
import type { Picture } from './exportPicture.ts';
import type { PanelData } from './panelData.ts';

/** What is below header and banner: one for each kind of run. */
export interface Page<Plan extends RunPlan> {
  readonly element: HTMLElement;
  render(data: PanelData<Plan>, theme: Theme): void;
  /** Charts that are saved as one picture. */
  readonly pictures: readonly Picture[];
}

/** What a page may do beyond drawing. */
export interface PageHost {
  post(message: FromPanel): void;
  /** Draws again, and remembers what is looked at. */
  changed(): void;
}

/** What is looked at, and how; it is remembered while the page is hidden. */
export interface Looking {
  /** A candidate, a configuration, or the step of a checkpoint. */
  selected: number | undefined;
  axis: PerplexityAxis;
  /** Pixels of the table's widest column, where somebody has chosen them. */
  column: number | undefined;
  /** The list of workers is out of sight. */
  folded: boolean;
}
