import type { FromPanel } from '../../view/panelMessages.ts';

/** What is done about which message. */
export type PanelActions = {
  readonly [Kind in FromPanel['kind']]?: (message: Extract<FromPanel, { readonly kind: Kind }>) => void;
};

/** What a panel does beyond following its run: one for each kind of search. */
export interface PanelDesk {
  /** A page is there and knows nothing but the plan. */
  begin(): void;
  /** The page is gone; it may come back. */
  forget(): void;
  readonly actions: PanelActions;
  /** The list of runs has changed. */
  lookAround(): void;
  /** A `.prune` file has changed. */
  lookAtFile(): void;
  /** The panel is closed. */
  dispose(): void;
}
