import * as vscode from 'vscode';
import { inputName } from '../experiment/hubName.ts';
import { formatPerplexity, shortFingerprint } from '../experiment/format.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { chosenDevice, fallbackFor } from './configuration.ts';
import type { Evaluator } from './evaluate/evaluator.ts';
import { progressLine } from './evaluate/resultText.ts';
import { sparsityText } from './evaluate/structureText.ts';
import type { HubAccess } from './hub/hubAccess.ts';
import { selectDevice, showMenu } from './menu.ts';
import type { Outlines } from './outlines.ts';
import { StatusBar } from './statusBar.ts';
import type { Supervisor } from './worker/supervisor.ts';

export interface AtHandParts {
  readonly outlines: Outlines;
  readonly evaluator: Evaluator;
  readonly supervisor: Supervisor;
  readonly modelHere: HubAccess['modelHere'];
  /** Address of the machine's queue. */
  readonly queue: () => string | undefined;
  readonly log: (message: string) => void;
}

/** Device and checkpoint of the document at hand and what is evaluated, as the status bar shows them and its menu offers to change. */
export class AtHand {
  private readonly parts: AtHandParts;
  private readonly statusBar = new StatusBar();
  /** Device of the last result. */
  private lastDevice: string | undefined;

  constructor(parts: AtHandParts) {
    this.parts = parts;
  }

  /** Draws what is known; asks for nothing. */
  refresh(): void {
    const { outlines, evaluator, supervisor } = this.parts;
    const { active } = evaluator;
    void vscode.commands.executeCommand('setContext', 'espalier.evaluating', active.length > 0);
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId !== 'prune' && active.length === 0) {
      this.statusBar.hide();
      return;
    }
    const folder = this.checkpoint();
    const declared = document && outlines.modelName(document.uri.toString());
    this.statusBar.show({
      worker: supervisor.state,
      device: this.device(),
      checkpoint: declared ?? (folder === undefined ? undefined : inputName(folder)),
      active: active.length,
      progress: active[0] && `${active[0].target.name}: ${progressLine(active[0].activity.progress)}`,
    });
  }

  /** The checkpoint of the document at hand: an absolute path, or a name on the hub that nothing is in the cache of. */
  checkpoint(): string | undefined {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId !== 'prune') return undefined;
    const uri = document.uri.toString();
    const { outlines } = this.parts;
    for (const { name } of outlines.evaluable(uri)) {
      const plans = outlines.knownPlans({ uri, name });
      if (typeof plans !== 'string' && plans[0]) return plans[0].model;
    }
    return fallbackFor(document.uri).model;
  }

  async showMenu(): Promise<void> {
    const { evaluator, supervisor } = this.parts;
    const active = evaluator.active.length;
    const { isTrusted: trusted } = vscode.workspace;
    const view = { device: this.device(), checkpoint: this.checkpoint(), active, trusted, queue: this.parts.queue() };
    await showMenu(view, supervisor, this.parts.modelHere);
  }

  async selectDevice(): Promise<void> {
    await selectDevice(this.parts.supervisor, vscode.workspace.isTrusted);
  }

  noteResult({ metric, sparsity, perplexity, fingerprint, provenance }: EvaluationResult): void {
    this.lastDevice = provenance.device;
    const number = `perplexity ${formatPerplexity(perplexity)} (${shortFingerprint(fingerprint)})`;
    this.parts.log(`${metric} at ${sparsityText(sparsity)}: ${number} on ${provenance.deviceName}`);
  }

  dispose(): void {
    this.statusBar.dispose();
  }

  /** What `auto` turned out to be is said once it is known. */
  private device(): string {
    const chosen = chosenDevice();
    return chosen === 'auto' ? (this.lastDevice ?? 'auto') : chosen;
  }
}
