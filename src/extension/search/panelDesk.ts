import type { FromPanel } from './panelMessages.ts';

/** What a panel does beyond following its run: one for each kind of search. */
export interface PanelDesk {
  /** A page is there and knows nothing but the plan. */
  begin(): void;
  /** The page is gone; it may come back. */
  forget(): void;
  /** @returns whether the message was one of its own */
  receive(message: FromPanel): boolean;
  /** The list of runs has changed. */
  lookAround(): void;
  /** A `.prune` file has changed. */
  lookAtFile(): void;
  /** The panel is closed. */
  dispose(): void;
}
