import type * as vscode from 'vscode';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { Ask } from '../../protocol/requests.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { RecoveredForm } from '../../search/recovery/events.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import type { FromPanel, ToPanel } from '../../view/panelMessages.ts';
import type { FormulaTarget } from '../../view/treeMessages.ts';
import type { SpeedParts } from '../results/measureSpeed.ts';
import type { CandidateFile } from './candidateFile.ts';
import type { RunFollower } from './runFollower.ts';
import type { RunLibrary } from './runLibrary.ts';
import type { SearchRunner } from './searchRunner.ts';

export interface BlockSearchDeskParts {
  readonly speed: SpeedParts;
  readonly exportModel: (plan: EvaluationPlan, root: string) => Promise<void>;
}

export interface SearchPanelParts {
  readonly extension: vscode.Uri;
  readonly runner: SearchRunner;
  readonly runLibrary: RunLibrary;
  readonly evaluate: Ask<'evaluate'>;
  readonly candidates: CandidateFile;
  /** Shows the tree of a formula that stands in no file. */
  readonly showTree: (formula: FormulaTarget) => Promise<void>;
  /** Starts random search of the same plan as a run of its own. */
  readonly startRandom: (run: RunFolder<MetricSearchPlan>) => Promise<void>;
  readonly structures: BlockSearchDeskParts;
  /** Asks where to, and writes what a recovery has kept. */
  readonly saveRecovery: (run: RunFolder, as: RecoveredForm) => Promise<void>;
  /** What a page may want about the queue; `command` copies what starts a worker. */
  readonly queueActions: Readonly<Record<Extract<FromPanel, { kind: 'queue' }>['wanted'], () => unknown>>;
  readonly showLog: () => void;
  readonly explainTrust: () => void;
  readonly tell: (what: string, error: unknown) => void;
}

export interface DeskParts<Plan extends RunFolder['record']['plan']> {
  readonly run: RunFolder<Plan>;
  readonly panel: SearchPanelParts;
  readonly post: (message: ToPanel) => void;
  readonly attempt: (what: string, act: () => Promise<unknown>) => void;
  /** What was read of the run; undefined while no page is there. */
  readonly follower: () => RunFollower | undefined;
}
