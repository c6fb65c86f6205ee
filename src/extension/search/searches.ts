import path from 'node:path';
import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import type { SearchPlanParams, SearchPlanResult } from '../../language/server/messages.ts';
import { deleteRun, openRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import {
  LONGEST_NAME,
  LONGEST_NOTE,
  LONGEST_TAG,
  MOST_TAGS,
  readNotes,
  tagsIn,
  writeNotes,
} from '../../runs/runNotes.ts';
import type { RunNotes } from '../../runs/runNotes.ts';
import type { RunSummary } from '../../runs/runSummary.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { fallbackFor } from '../configuration.ts';
import type { Target } from '../evaluate/evaluator.ts';
import type { Outlines } from '../outlines.ts';
import type { Supervisor } from '../worker/supervisor.ts';
import type { FormulaTarget } from '../../view/treeMessages.ts';
import { llmFallback } from '../llm/llmConfiguration.ts';
import type { LanguageModels } from '../llm/languageModels.ts';
import type { MachineQueue } from '../queue/machineQueue.ts';
import { saveRecovery } from '../results/saveRecovery.ts';
import type { RunPlan } from '../../search/kinds.ts';
import type { ModelExport } from '../results/exportModel.ts';
import type { SpeedParts } from '../results/measureSpeed.ts';
import { loadPrompts } from '../../llm/promptTemplates.ts';
import { ComparedRuns } from '../../runs/comparedRuns.ts';
import { ComparisonPanels } from '../comparison/comparisonPanels.ts';
import { CandidateFile } from './candidateFile.ts';
import { EvolveCommand } from './evolveCommand.ts';
import { saveExport } from './exportCommand.ts';
import { chosenEnds, endText, isToldOf, secondsOf } from './runEnd.ts';
import { saveReport } from '../results/reportCommand.ts';
import { RunLibrary, isReadable } from './runLibrary.ts';
import type { ListedRun } from './runLibrary.ts';
import { isRunPath } from './runPath.ts';
import { RunsView } from './runsView.ts';
import { SearchPanels } from './searchPanels.ts';
import { SearchRunner } from './searchRunner.ts';
import type { SearchWorker } from './searchRunner.ts';
import { SearchStatus } from './searchStatus.ts';
import { askModal, iconFree, plainItems, tellInformation } from '../messages.ts';

const RUNNING_KEY = 'espalier.runningSearches';

export interface SearchesParts {
  readonly context: vscode.ExtensionContext;
  readonly outlines: Outlines;
  /** The worker for evaluations: curves are evaluated there. */
  readonly supervisor: Supervisor;
  /** A process of its own for one search. */
  readonly newWorker: () => SearchWorker;
  readonly languageModels: LanguageModels;
  readonly queue: MachineQueue;
  readonly modelExport: ModelExport;
  readonly speed: SpeedParts;
  readonly searchPlan: (params: SearchPlanParams) => Promise<SearchPlanResult>;
  readonly rootOf: (document: string) => string;
  /** Tokens of the longest text that the model in this folder was made for. */
  readonly modelLength: (model: string) => Promise<number>;
  readonly evaluate: (target: Target) => unknown;
  readonly showTree: (formula: FormulaTarget) => Promise<void>;
  /** Of what failed. */
  readonly tell: (what: string, error: unknown) => void;
  readonly showLog: () => void;
  readonly explainTrust: () => void;
  readonly log: (message: string) => void;
}

/** Something that a person says of a run. */
interface AskedNotes {
  readonly what: keyof RunNotes;
  /** What the command is called, where a run has to be picked. */
  readonly action: string;
  readonly prompt: string;
  readonly text: (notes: RunNotes) => string;
  readonly change: (notes: RunNotes, text: string) => RunNotes;
  readonly problem: (text: string) => string | undefined;
}

/** Everything about searches, wired together: driving them, showing them, listing them. */
export class Searches implements vscode.Disposable {
  readonly runner: SearchRunner;
  readonly runLibrary: RunLibrary;
  private readonly parts: SearchesParts;
  private readonly panels: SearchPanels;
  private readonly comparisons: ComparisonPanels;
  private readonly view: RunsView;
  private readonly status: SearchStatus;
  private readonly evolveCommand: EvolveCommand;
  private readonly owned: { dispose(): unknown }[] = [];

  constructor(parts: SearchesParts) {
    this.parts = parts;
    const { context, outlines, supervisor, showLog, log, tell } = parts;
    this.runner = new SearchRunner({
      newWorker: parts.newWorker,
      memory: {
        get: () => context.workspaceState.get<readonly string[]>(RUNNING_KEY, []),
        set: (folders) => void context.workspaceState.update(RUNNING_KEY, folders),
      },
      llmAccess: (folder) => parts.languageModels.accessOf(folder),
      askLanguageModel: parts.languageModels.ask,
      queue: parts.queue.asked,
      clock: SYSTEM_CLOCK,
      log,
      onChange: (folder) => {
        this.panels.look(folder);
        this.status.refresh();
        this.runLibrary.refresh();
      },
      onEnd: (folder, end) => {
        this.view.refresh();
        void this.tellEnd(folder, end);
      },
    });
    this.runLibrary = new RunLibrary({
      roots: () => (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath),
      clock: SYSTEM_CLOCK,
      onChange: () => {
        this.view.refresh();
        this.panels.lookAround();
        this.comparisons.lookAround();
      },
    });
    const candidates = new CandidateFile({ outlines, evaluate: parts.evaluate });
    this.panels = new SearchPanels({
      extension: context.extensionUri,
      runner: this.runner,
      runLibrary: this.runLibrary,
      evaluate: supervisor.asking('evaluate'),
      candidates,
      showTree: parts.showTree,
      startRandom: (run) => this.evolveCommand.startRandom(run),
      structures: {
        speed: parts.speed,
        exportModel: (plan, root) => parts.modelExport.run(plan, root),
      },
      saveRecovery: (run, as) => saveRecovery(run, as, supervisor.asking('saveRecovery')),
      queueActions: parts.queue.actions,
      showLog,
      explainTrust: parts.explainTrust,
      tell,
    });
    this.comparisons = new ComparisonPanels({
      extension: context.extensionUri,
      compared: new ComparedRuns(),
      clock: SYSTEM_CLOCK,
      titleOf: (run) => this.nameOf(run),
      open: (folder) => this.open({ folder }),
      editTags: (folder) => this.tag({ folder }),
      choose: (folders) => this.pickMany('Add Runs', { without: folders }),
      tell,
    });
    this.evolveCommand = new EvolveCommand({
      outlines,
      searchPlan: parts.searchPlan,
      fallbackFor: (uri) => ({ ...fallbackFor(uri), llm: llmFallback() }),
      promptsFor: (root) => loadPrompts({ shipped: context.asAbsolutePath('media/prompts'), root }),
      confirm: (plan) => parts.languageModels.confirm(plan),
      agreed: (run) => parts.languageModels.agreed(run),
      rootOf: parts.rootOf,
      runningOf: (search, document) => this.runningOf(search, document),
      titleOf: (run) => this.nameOf(run),
      modelLength: parts.modelLength,
      runner: this.runner,
      panels: this.panels,
      tell,
    });
    this.view = new RunsView(this.runLibrary, this.runner);
    this.status = new SearchStatus(this.runner);
    this.owned.push(this.view, this.status, this.panels, this.comparisons, this.watchRuns(), this.watchFiles());
  }

  /** Goes on with what ran when the window was reloaded. Without trust nothing is driven. */
  start(): void {
    const go = (): void => {
      this.runner.resumeRemembered();
      this.runLibrary.refresh();
    };
    if (vscode.workspace.isTrusted) go();
    else this.owned.push(vscode.workspace.onDidGrantWorkspaceTrust(go));
  }

  dispose(): void {
    this.runner.dispose();
    this.runLibrary.dispose();
    for (const each of this.owned.splice(0)) each.dispose();
  }

  /** The machine has another queue than before, or none. Runs go on where they are until somebody wants them to move. @param shown its address */
  queueChanged(shown: string | undefined): void {
    const { runner } = this;
    const others = runner.folders.filter((folder) => runner.queueOf(folder)?.shown !== shown);
    if (others.length === 0) return;
    const which = others.length === 1 ? 'A run goes' : `${others.length} runs go`;
    const where = shown === undefined ? 'on this machine' : `over ${shown}`;
    void tellInformation(
      `${which} on where the setting espalier.queue said before. Paused and resumed, ${others.length === 1 ? 'it is' : 'they are'} computed ${where}.`,
      'Move Now',
    ).then((chosen) => {
      if (chosen) for (const folder of others) runner.driveAgain(folder);
    });
  }

  async evolve(argument: unknown): Promise<void> {
    await this.evolveCommand.evolve(argument);
  }

  /** Makes a run of a plan, drives it, and shows it. @param document that asked for it, absolute */
  begin(plan: RunPlan, document: string): Promise<void> {
    return this.evolveCommand.start(plan, document);
  }

  async open(argument: unknown): Promise<void> {
    const run = await this.runOf(argument, 'Open');
    if (run) this.panels.show(run);
  }

  async resume(argument: unknown): Promise<void> {
    const run = await this.runOf(argument, 'Resume');
    if (!run) return;
    this.runner.drive(run.folder);
    this.panels.show(run);
  }

  async pause(argument: unknown): Promise<void> {
    const run = await this.runOf(argument, 'Pause');
    if (run) this.runner.pause(run.folder);
  }

  /** Shows runs beside each other: those that are selected, or that are picked. */
  async compare(argument: unknown, selection: unknown): Promise<void> {
    const selected = foldersOf(argument, selection);
    const chosen = selected.length > 1 ? selected : await this.pickMany('Compare Runs', { picked: selected });
    if (!chosen || chosen.length === 0) return;
    await this.attempt('The runs cannot be compared', async () => {
      this.comparisons.show(await Promise.all(chosen.map((folder) => openRun(folder))));
    });
  }

  /** Draws the best of one run into the panel of another. */
  async overlay(argument: unknown, selection: unknown): Promise<void> {
    const chosen: readonly unknown[] = Array.isArray(selection) ? selection : [];
    const run = await this.runOf(argument, 'Draw Another Run Into');
    if (!run) return;
    const beside = chosen.find((each) => folderOf(each) !== undefined && folderOf(each) !== run.folder);
    const other = await this.runOf(beside, `Draw into ${iconFree(this.nameOf(run))}`, run);
    if (!other) return;
    if (other.record.plan.kind === run.record.plan.kind) this.panels.show(run).compareWith(other);
    else {
      const text = `${this.nameOf(run)} and ${this.nameOf(other)} look for different things: their lines have no axis in common.`;
      void tellInformation(text);
    }
  }

  /** Gives a run a name of its own, or takes it away. */
  rename(argument: unknown): Promise<void> {
    return this.askForNotes(argument, 'name', LONGEST_NAME, 'Its name; empty for that of its search');
  }

  annotate(argument: unknown): Promise<void> {
    return this.askForNotes(argument, 'note', LONGEST_NOTE, 'What there is to say of it; empty for nothing');
  }

  /** Tags of a run, all of them in a row. */
  tag(argument: unknown): Promise<void> {
    const tags = (notes: RunNotes): string => (notes.tags ?? []).join(' ');
    return this.askFor(argument, {
      what: 'tags',
      action: 'Tag',
      prompt: 'Words to find it by, separated by blanks; empty for none',
      text: tags,
      change: (notes, text) => ({ ...notes, tags: tagsIn(text) }),
      problem: (text) => {
        const all = tagsIn(text);
        if (all.length > MOST_TAGS) return `At most ${MOST_TAGS} tags`;
        return all.some(({ length }) => length > LONGEST_TAG) ? `At most ${LONGEST_TAG} characters each` : undefined;
      },
    });
  }

  private askForNotes(argument: unknown, what: 'name' | 'note', longest: number, prompt: string): Promise<void> {
    return this.askFor(argument, {
      ...{ what, prompt, action: what === 'name' ? 'Rename' : 'Annotate' },
      text: (notes) => notes[what] ?? '',
      change: (notes, text) => ({ ...notes, [what]: text }),
      problem: (text) => (text.length > longest ? `At most ${longest} characters` : undefined),
    });
  }

  private async askFor(argument: unknown, { what, action, prompt, text, change, problem }: AskedNotes): Promise<void> {
    const run = await this.runOf(argument, action);
    if (!run) return;
    const { problem: unread, ...known } = await readNotes(run.folder);
    if (unread !== undefined)
      this.parts.log(`what was said of ${run.record.id} was not read (${unread}) and is replaced`);
    const said = await vscode.window.showInputBox({
      title: `Espalier: ${what} of ${this.nameOf(run)}`,
      prompt,
      value: text(known),
      validateInput: problem,
    });
    if (said === undefined) return;
    await this.attempt(`The ${what} could not be kept`, () => writeNotes(run.folder, change(known, said)));
    await this.runLibrary.load();
  }

  private nameOf(run: RunFolder): string {
    return this.runLibrary.titleOf(run).title;
  }

  /** Runs of a search of a file that somebody drives now, the newest first. */
  private async runningOf(search: string, document: string): Promise<readonly RunSummary[]> {
    await this.runLibrary.load();
    return this.runLibrary.runs.filter(isReadable).filter(({ folder, state, run: { root, record: run } }) => {
      const isDriven = this.runner.drivingOf(folder) !== undefined || state === 'running';
      const isOf = run.document !== undefined && path.resolve(root, run.document) === document;
      return isDriven && isOf && run.plan.name === search;
    });
  }

  async exportAs(argument: unknown, format: 'csv' | 'json'): Promise<void> {
    const run = await this.runOf(argument, 'Export');
    if (run) await this.attempt('The run could not be exported', () => saveExport(run, format));
  }

  /** Of the runs that are selected, or, from the palette, of the evaluations of the workspace. */
  async report(argument: unknown, selection: unknown): Promise<void> {
    const all: readonly unknown[] = Array.isArray(selection) && selection.length > 0 ? selection : [argument];
    const runs = (
      await Promise.all(all.filter((one) => one !== undefined).map((one) => this.runOf(one, 'Report')))
    ).filter((run) => run !== undefined);
    const root = runs[0]?.root ?? vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    if (root === undefined) return;
    await this.attempt('The report could not be written', () => saveReport(root, runs, () => undefined));
  }

  async delete(argument: unknown, selection: unknown): Promise<void> {
    const all: readonly unknown[] = Array.isArray(selection) && selection.length > 0 ? selection : [argument];
    const folders = all.map(folderOf).filter((folder) => folder !== undefined);
    if (folders.length === 0) return;
    const listed = this.runLibrary.find(folders[0]!);
    const id = listed?.id ?? folders[0]!;
    const only = listed && isReadable(listed) ? `${this.nameOf(listed.run)} (${id})` : id;
    const what = folders.length === 1 ? only : `${folders.length} runs`;
    const detail = 'Everything that the run has found goes with it. This cannot be undone.';
    const chosen = await askModal(`Delete ${what}?`, [detail], 'Delete');
    if (chosen !== 'Delete') return;
    for (const folder of folders) {
      await this.attempt('The run could not be deleted', async () => {
        await deleteRun(folder, {
          onWait: (message) => void tellInformation(message),
        });
        this.panels.close(folder);
        this.comparisons.forget(folder);
      });
    }
    await this.runLibrary.load();
  }

  private async attempt(what: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.parts.tell(what, error);
    }
  }

  /** The run that a command is about: an item of the view, or one that is picked. */
  private async runOf(argument: unknown, title: string, beside?: RunFolder): Promise<RunFolder | undefined> {
    const folder = folderOf(argument) ?? (await this.pick(title, beside));
    if (folder === undefined) return undefined;
    try {
      return await openRun(folder);
    } catch (error) {
      this.parts.tell('The run cannot be opened', error);
      return undefined;
    }
  }

  /** @param beside another run of its kind is meant */
  private async pick(title: string, beside?: RunFolder): Promise<string | undefined> {
    const items = await this.items(
      ({ run }) => !beside || (run.folder !== beside.folder && run.record.plan.kind === beside.record.plan.kind),
    );
    const placeHolder =
      items.length === 0
        ? beside
          ? 'There is no other run of its kind in this workspace'
          : 'There is no run in this workspace'
        : 'Run';
    return (await vscode.window.showQuickPick(plainItems(items), { title: `Espalier: ${title}`, placeHolder }))?.folder;
  }

  /** Any number of runs, of whatever kinds. */
  private async pickMany(
    title: string,
    { picked = [], without = [] }: { readonly picked?: readonly string[]; readonly without?: readonly string[] },
  ): Promise<readonly string[] | undefined> {
    const items = await this.items(({ folder }) => !without.includes(folder));
    const chosen = await vscode.window.showQuickPick(
      plainItems(items.map((item) => ({ ...item, picked: picked.includes(item.folder) }))),
      {
        title: `Espalier: ${title}`,
        placeHolder: items.length === 0 ? 'There is no run in this workspace' : 'Runs to stand beside each other',
        canPickMany: true,
        matchOnDescription: true,
      },
    );
    return chosen?.map(({ folder }) => folder);
  }

  /** Runs as a list shows them. */
  private async items(
    isMeant: (run: RunSummary) => boolean,
  ): Promise<readonly { readonly label: string; readonly description?: string; readonly folder: string }[]> {
    await this.runLibrary.load();
    return this.runLibrary.runs
      .filter((run) => isReadable(run) && isMeant(run))
      .map((run) => {
        const { label, description } = this.view.getTreeItem(run);
        return {
          label: typeof label === 'string' ? label : run.folder,
          ...(typeof description === 'string' && { description }),
          folder: run.folder,
        };
      });
  }

  private async tellEnd(
    folder: string,
    end: Parameters<ConstructorParameters<typeof SearchRunner>[0]['onEnd']>[1],
  ): Promise<void> {
    await this.runLibrary.load();
    const listed = this.runLibrary.find(folder);
    const name = listed && isReadable(listed) ? this.nameOf(listed.run) : folder;
    if (typeof end === 'object') {
      this.parts.tell(`${subjectOf(listed)} ${name} failed`, new EspalierError(end.error));
      return;
    }
    if (end !== 'finished' || !listed || !isReadable(listed)) return;
    const looksAtIt = vscode.window.state.focused && this.panels.find(folder)?.isVisible === true;
    if (!isToldOf(chosenEnds(), secondsOf(listed), looksAtIt)) return;
    const chosen = await tellInformation(endText(subjectOf(listed), name, listed), 'Open');
    if (chosen) await this.open({ folder });
  }

  /** Runs that git or another window has written. Of a folder that is moved, nothing but the folder itself is told. */
  private watchRuns(): vscode.Disposable {
    const watched = '**/{.espalier,.espalier/runs,.espalier/runs/*,.espalier/runs/*/*}';
    const watcher = vscode.workspace.createFileSystemWatcher(watched);
    const refresh = (): void => {
      this.runLibrary.refresh();
    };
    watcher.onDidCreate(refresh);
    watcher.onDidChange(refresh);
    watcher.onDidDelete(refresh);
    return watcher;
  }

  private watchFiles(): vscode.Disposable {
    let withdraw: (() => void) | undefined;
    return vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.languageId !== 'prune') return;
      withdraw?.();
      withdraw = SYSTEM_CLOCK.after(300, () => {
        this.panels.lookAtFiles();
      });
    });
  }
}

/** What a run is, at the beginning of a sentence. */
function subjectOf(listed: ListedRun | undefined): string {
  const isRecovery = listed !== undefined && isReadable(listed) && listed.run.record.plan.kind === 'recovery';
  return isRecovery ? 'The recovery' : 'The search';
}

/** The runs that are selected, the one that was clicked first. */
function foldersOf(argument: unknown, selection: unknown): readonly string[] {
  const chosen: readonly unknown[] = Array.isArray(selection) ? selection : [];
  return [...new Set([argument, ...chosen].flatMap((each) => folderOf(each) ?? []))];
}

/** Any extension can run our commands, with whatever it likes. */
function folderOf(argument: unknown): string | undefined {
  const { folder } = (argument ?? {}) as { folder?: unknown };
  return typeof folder === 'string' && isRunPath(folder) ? folder : undefined;
}
