import path from 'node:path';
import * as vscode from 'vscode';
import { EspalierError } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import { defaultLength } from '../../experiment/length.ts';
import { settingsWarnings } from '../../experiment/resultWarnings.ts';
import type { RunPlan, SearchPlan } from '../../search/kinds.ts';
import { mayAsk } from '../../search/asking.ts';
import type { AskingPlan } from '../../search/asking.ts';
import type { PromptTexts } from '../../search/llm/prompts.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import type { SearchPlanParams, SearchPlanResult } from '../../language/server/messages.ts';
import { createRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { planOf } from '../../runs/runRecord.ts';
import type { RunSummary } from '../../runs/runSummary.ts';
import { differences } from '../../runs/runTitles.ts';
import type { Outlines } from '../outlines.ts';
import { isInside, pruneFile } from '../pruneFile.ts';
import { ago } from './ago.ts';
import type { SearchPanels } from './searchPanels.ts';
import type { SearchRunner } from './searchRunner.ts';
import { askModal, plainItems, tellInformation, tellWarning } from '../messages.ts';

/** What is to be evolved: a search of a file, or one that starts from a metric. */
export interface EvolveTarget {
  readonly uri: string;
  readonly name?: string;
  readonly from?: string;
}

export interface EvolveCommandParts {
  readonly outlines: Outlines;
  readonly searchPlan: (params: SearchPlanParams) => Promise<SearchPlanResult>;
  readonly fallbackFor: (uri: vscode.Uri) => NonNullable<SearchPlanParams['fallback']>;
  /** What a search asks a language model with, from the workspace or our own. */
  readonly promptsFor: (root: string) => Promise<PromptTexts>;
  /** The plan as it is to be run; undefined where it is not to be run. */
  readonly confirm: (plan: AskingPlan) => Promise<AskingPlan | undefined>;
  /** What this run asks was confirmed. */
  readonly agreed: (run: RunFolder) => Promise<void>;
  readonly rootOf: (document: string) => string;
  /** Runs of a search of this file that somebody drives now, the newest first. */
  readonly runningOf: (search: string, document: string) => Promise<readonly RunSummary[]>;
  /** What a run is called. */
  readonly titleOf: (run: RunFolder) => string;
  /** Tokens of the longest text that the model in this folder was made for. */
  readonly modelLength: (model: string) => Promise<number>;
  readonly runner: SearchRunner;
  readonly panels: SearchPanels;
  readonly tell: (what: string, error: unknown) => void;
}

/** *Evolve* and *Evolve from here*: makes a run of what the file says, drives it, and shows it. */
export class EvolveCommand {
  private readonly parts: EvolveCommandParts;
  /** What is being begun: a second click while the first is dealt with is one too many. */
  private readonly beginning = new Set<string>();

  constructor(parts: EvolveCommandParts) {
    this.parts = parts;
  }

  /** @param argument the lens's target; from the palette there is none, and the declaration at the cursor is meant */
  async evolve(argument: unknown): Promise<void> {
    const target = isTarget(argument) ? argument : await this.pick();
    if (!target) return;
    const uri = vscode.Uri.parse(target.uri);
    if (uri.scheme !== 'file') {
      const chosen = await tellInformation(
        'Save this file first: its paths start at its folder, and its runs are kept there.',
        'Save As…',
      );
      if (chosen) await vscode.commands.executeCommand('workbench.action.files.saveAs');
      return;
    }
    const key = JSON.stringify(target);
    if (this.beginning.has(key)) return;
    this.beginning.add(key);
    try {
      const prompts = this.needsPrompts(target)
        ? await this.parts.promptsFor(this.parts.rootOf(uri.fsPath))
        : undefined;
      const fallback = this.parts.fallbackFor(uri);
      const reply = await this.parts.searchPlan({ ...target, fallback, ...(prompts && { prompts }) });
      if ('error' in reply) throw new EspalierError(reply.error);
      if (!(await this.isWanted(reply.plan, uri.fsPath))) return;
      const plan = mayAsk(reply.plan) ? await this.parts.confirm(reply.plan) : reply.plan;
      if (plan) await this.start(plan, uri.fsPath);
    } catch (error) {
      const { name, from } = target;
      this.parts.tell(
        name === undefined ? `Evolving ${from ?? ''} failed` : `The search ${name} could not begin`,
        error,
      );
    } finally {
      this.beginning.delete(key);
    }
  }

  /** Where a run of the same search goes on already, one may have wanted to see that one. */
  private async isWanted(plan: SearchPlan, document: string): Promise<boolean> {
    const [running] = await this.parts.runningOf(plan.name, document);
    if (!running) return true;
    const { run, generation } = running;
    const title = this.parts.titleOf(run);
    const [asked, meanwhile] = differences([planOf(run.record, run.root), plan]);
    const far = generation === undefined ? '' : `, ${plan.kind === 'masks' ? 'step' : 'generation'} ${generation + 1}`;
    const detail =
      meanwhile!.length === 0
        ? 'Another one would ask for the same.'
        : `Another one would have ${meanwhile!.slice(0, 4).join(', ')}; the one that runs has ${asked!.slice(0, 4).join(', ')}.`;
    const [open, start] = ['Open the One That Runs', 'Start Another'] as const;
    const begun = ago(Date.parse(run.record.createdAt), Date.now());
    const chosen = await askModal(`${title} is running (begun ${begun}${far}).`, [detail], open, start);
    if (chosen === open) this.parts.panels.show(run);
    return chosen === start;
  }

  /** The same plan with random trees, driven but not shown by itself: the panel of the other run draws it. */
  async startRandom(beside: RunFolder<MetricSearchPlan>): Promise<void> {
    // Nobody proposes anything to a random search.
    const plan = withoutLlm(planOf(beside.record, beside.root));
    const document =
      beside.record.document === undefined ? undefined : path.resolve(beside.root, beside.record.document);
    const random: MetricSearchPlan = {
      ...plan,
      name: `${plan.name}_random`,
      seeds: [],
      search: { ...plan.search, method: 'random' },
    };
    this.parts.runner.drive((await this.create(random, document, beside.root)).folder);
  }

  private needsPrompts({ uri, name, from }: EvolveTarget): boolean {
    // What starts from a metric is searched as the file's first search for metrics says.
    const searches = this.parts.outlines.searches(uri);
    return searches.some((search) => search.asksLlm === true && (from !== undefined || search.name === name));
  }

  /** Makes a run of it, drives it, and shows it. */
  async start(plan: RunPlan, document: string): Promise<void> {
    const run = await this.create(plan, document, this.parts.rootOf(document));
    if (mayAsk(plan)) await this.parts.agreed(run);
    this.parts.runner.drive(run.folder);
    this.parts.panels.show(run);
  }

  private async create(plan: RunPlan, document: string | undefined, root: string): Promise<RunFolder> {
    const modelLength = await this.parts.modelLength(plan.model);
    const length = plan.settings.length || defaultLength(modelLength, plan.settings.lengthLimit);
    for (const warning of settingsWarnings({ ...plan.settings, length }, modelLength)) {
      void tellWarning(`Espalier, ${plan.name}: ${warning}.`);
    }
    return createRun(
      { ...plan, settings: { ...plan.settings, length } },
      {
        root,
        ...(document !== undefined && { document }),
        createdAt: new Date(),
        versions: { espalier: VERSION, node: process.versions.node, vscode: vscode.version },
      },
    );
  }

  /** The search or metric at the cursor, or one that is picked. */
  private async pick(): Promise<EvolveTarget | undefined> {
    const file = await pruneFile();
    if (!file) return undefined;
    const { uri, line } = file;
    const { outlines } = this.parts;
    const searches = outlines.searches(uri).filter(({ runnable }) => runnable === true);
    const metrics = outlines.evaluable(uri).filter(({ kind, evaluable }) => kind === 'metric' && evaluable);
    const here = [...searches, ...metrics].find(({ range }) => isInside(line, range));
    if (here) return here.kind === 'search' ? { uri, name: here.name } : { uri, from: here.name };
    const items = [
      ...searches.map(({ name, method = DEFAULT_SEARCH_METHOD }) => ({
        label: name,
        description: `search for ${SEARCH_METHODS[method].finds}`,
        target: { uri, name },
      })),
      ...metrics.map(({ name }) => ({ label: name, description: 'metric to start from', target: { uri, from: name } })),
    ];
    const placeHolder = items.length === 0 ? 'This file has nothing to search for' : 'Search, or metric to start from';
    const chosen = await vscode.window.showQuickPick(plainItems(items), { title: 'Espalier: Search', placeHolder });
    return chosen?.target;
  }
}

function withoutLlm(plan: MetricSearchPlan): MetricSearchPlan {
  const { llm, prompts, ...rest } = plan;
  return llm === undefined && prompts === undefined ? plan : rest;
}

function isTarget(argument: unknown): argument is EvolveTarget {
  const { uri } = (argument ?? {}) as Partial<Record<keyof EvolveTarget, unknown>>;
  return typeof uri === 'string';
}
