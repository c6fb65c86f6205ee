import * as vscode from 'vscode';
import type { ErrorData } from '../../base/errors.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { chooseDevice } from '../configuration.ts';
import type { Evaluator, Target } from './evaluator.ts';
import { showFailure } from '../notifications.ts';
import type { RemedyActions } from '../notifications.ts';
import type { Outlines } from '../outlines.ts';
import { isInside, pruneFile } from '../pruneFile.ts';
import { progressLine } from './resultText.ts';
import { openQueueSetting } from '../queue/queueConfiguration.ts';
import type { Supervisor } from '../worker/supervisor.ts';
import { iconFree, logLine, tellInformation, withNotification } from '../messages.ts';

/** Milliseconds after which an evaluation is worth a notification; shorter ones are told beside the line alone. */
const WORTH_A_NOTIFICATION = 3000;
/** Milliseconds from one progress report in the notification to the next. */
const PROGRESS_INTERVAL = 250;

export interface EvaluateCommandParts {
  readonly evaluator: Evaluator;
  readonly outlines: Outlines;
  readonly supervisor: Supervisor;
  readonly log: vscode.LogOutputChannel;
}

/** *Evaluate* and *Cancel* as a person meets them: what is asked for, how it goes, what went wrong and what can be done. */
export class EvaluateCommand {
  private readonly parts: EvaluateCommandParts;
  /** Code of a worker failure that the person has been told about already. */
  private told: string | undefined;

  constructor(parts: EvaluateCommandParts) {
    this.parts = parts;
    parts.supervisor.onChange((state) => {
      if (state.kind === 'failed') this.tellWorkerFailure(state.error);
      if (state.kind === 'ready') this.told = undefined;
    });
  }

  /** @param argument the lens's target; from the palette there is none, and the declaration at the cursor is meant */
  async evaluate(argument: unknown): Promise<void> {
    const target = isTarget(argument) ? argument : await this.pickTarget();
    if (!target) return;
    if (vscode.Uri.parse(target.uri).scheme !== 'file') {
      const text = 'Save this file first: its paths start at its folder, and its results are kept there.';
      const chosen = await tellInformation(text, 'Save As…');
      if (chosen) await vscode.commands.executeCommand('workbench.action.files.saveAs');
      return;
    }
    const { evaluator, log } = this.parts;
    log.info(logLine(`evaluating ${target.name} of ${target.uri}`));
    const outcome = evaluator.evaluate(target);
    const withdraw = SYSTEM_CLOCK.after(WORTH_A_NOTIFICATION, () => {
      this.notifyProgress(target, outcome);
    });
    const ended = await outcome;
    withdraw();
    if (ended.kind === 'cancelled') {
      log.info(logLine(`evaluation of ${target.name} cancelled`));
      vscode.window.setStatusBarMessage(`Espalier: evaluation of ${iconFree(target.name)} cancelled`, 5000);
    }
    if (ended.kind !== 'failed') return;
    log.error(logLine(`evaluating ${target.name}: ${ended.error.code}: ${ended.error.actual}`));
    // A worker that does not run is told about once, not once for every evaluation that waited for it.
    if (ended.error.code !== this.told)
      showFailure(`Evaluating ${target.name} failed`, ended.error, this.remedies(target));
  }

  cancel(argument: unknown): void {
    this.parts.evaluator.cancel(isTarget(argument) ? argument : undefined);
  }

  /** A result that is shown could not be written. */
  tellLost(metric: string, error: ErrorData): void {
    this.parts.log.error(logLine(`${error.operation}: ${error.actual}`));
    showFailure(`The result of ${metric} could not be kept`, error, this.remedies(undefined));
  }

  /** A failure of something that is not repeated from its message. */
  tellFailure(what: string, error: ErrorData): void {
    showFailure(what, error, this.places());
  }

  private notifyProgress(target: Target, outcome: Promise<unknown>): void {
    const { evaluator } = this.parts;
    void withNotification(target.name, async (progress, token) => {
      token.onCancellationRequested(() => {
        evaluator.cancel(target);
      });
      let shown = 0;
      const tell = (): void => {
        const activity = evaluator.activityOf(target);
        if (!activity) return;
        const { done = 0, total = 0 } = activity.progress ?? {};
        const share = total > 0 ? (100 * done) / total : 0;
        const message =
          activity.state === 'waiting' ? 'waiting for the evaluation before it' : progressLine(activity.progress);
        progress.report({ message, increment: Math.max(0, share - shown) });
        shown = Math.max(shown, share);
      };
      tell();
      const ticking = setInterval(tell, PROGRESS_INTERVAL);
      await outcome;
      clearInterval(ticking);
    });
  }

  private tellWorkerFailure(error: ErrorData): void {
    if (this.told === error.code) return;
    this.told = error.code;
    const target = this.parts.evaluator.active[0]?.target;
    showFailure('The Espalier worker does not run', error, this.remedies(target));
  }

  private remedies(target: Target | undefined): RemedyActions {
    const { supervisor } = this.parts;
    const again = (): unknown => target && this.evaluate(target);
    const retry = async (): Promise<void> => {
      if (supervisor.state.kind === 'failed') await supervisor.restart();
      await again();
    };
    return {
      'Evaluate Again': again,
      Retry: retry,
      'Use CPU': async () => {
        await chooseDevice('cpu');
        await retry();
      },
      ...this.places(),
    };
  }

  /** Where one sees more, or sets something right. */
  private places(): RemedyActions {
    return {
      'Show Log': () => {
        this.parts.log.show();
      },
      'Show Problems': () => vscode.commands.executeCommand('workbench.actions.view.problems'),
      'Open Settings': () => vscode.commands.executeCommand('workbench.action.openSettings', '@ext:espalier.espalier'),
      'Set Up Language Model': () => vscode.commands.executeCommand('espalier.setUpLanguageModel'),
      'Open Queue Setting': openQueueSetting,
      'Set Queue Password': () => vscode.commands.executeCommand('espalier.setQueuePassword'),
      'Show Queue': () => vscode.commands.executeCommand('espalier.showQueue'),
    };
  }

  /** The metric that a command is about: the lens's, or the one at the cursor, or one that is picked. */
  async metricFor(argument: unknown, title: string): Promise<Target | undefined> {
    return isTarget(argument) ? argument : this.pickTarget(title, ['metric']);
  }

  private async pickTarget(
    title = 'Evaluate',
    kinds: readonly string[] = ['metric', 'experiment'],
  ): Promise<Target | undefined> {
    const file = await pruneFile();
    if (!file) return undefined;
    const { uri, line } = file;
    const targets = this.parts.outlines
      .evaluable(uri)
      .filter(({ kind, evaluable }) => evaluable && kinds.includes(kind));
    const here = targets.find(({ range }) => isInside(line, range));
    if (here) return { uri, name: here.name };
    const placeHolder = targets.length === 0 ? 'This file has nothing that can be evaluated' : kinds.join(' or ');
    const items = targets.map(({ name, kind }) => ({ label: name, description: kind }));
    const chosen = await vscode.window.showQuickPick(items, { title: `Espalier: ${title}`, placeHolder });
    return chosen && { uri, name: chosen.label };
  }
}

function isTarget(argument: unknown): argument is Target {
  const { uri, name } = (argument ?? {}) as Partial<Record<keyof Target, unknown>>;
  return typeof uri === 'string' && typeof name === 'string';
}
