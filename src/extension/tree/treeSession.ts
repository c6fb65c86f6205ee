import { toErrorData } from '../../base/errors.ts';
import type { Ask, RequestHooks } from '../../protocol/requests.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { asRanked, scoreText } from '../../experiment/planned.ts';
import { sameExpression } from '../../metric/expression.ts';
import { printPrefix } from '../../metric/print.ts';
import type { OutlineRange, TreeResult } from '../../language/server/messages.ts';
import type { Target } from '../evaluate/evaluator.ts';
import type { Clock } from '../../base/clock.ts';
import { type Form, Forms, nodeAt } from './treeForms.ts';
import type {
  FormName,
  FromTree,
  TreeMemory,
  TreeTarget,
  Inspected,
  ShownForm,
  StatisticsState,
  ToTree,
} from '../../view/treeMessages.ts';

export interface TreeSessionOptions {
  /** Asks the language; null while the metric has a mistake, or is gone. */
  readonly treeOf: (target: Target) => Promise<TreeResult>;
  /** What evaluating the metric would evaluate. Rejects with a coded error that says what is missing. */
  readonly plansOf: (target: Target) => Promise<readonly EvaluationPlan[]>;
  readonly inspect: Ask<'inspect'>;
  readonly isTrusted: () => boolean;
  /** Whether the worker evaluates: a person's evaluation goes first, and is not disturbed. */
  readonly isEvaluating: () => boolean;
  /** Selects a range of the document's text, of that version. `focus`: the keyboard goes there too. */
  readonly reveal: (uri: string, range: OutlineRange, version: number, focus: boolean) => void;
  /** How a person names the file. */
  readonly nameOf: (uri: string) => string;
  readonly post: (message: ToTree) => void;
  readonly clock: Clock;
}

/** Milliseconds of rest after a keystroke before the tree, and the statistics, are asked for again. */
const TREE_DELAY = 100;
const STATISTICS_DELAY = 250;

/** Sparsity plays no part in what a metric's nodes compute; a plan has to have one. */
const ANY_SPARSITY = { kind: 'unstructured', share: 0.5 } as const;

const OFF: StatisticsState = { kind: 'off', hint: '', action: null };

/** One tree preview: what it shows, and what it has to ask for. Knows nothing of windows. */
export class TreeSession {
  private readonly options: TreeSessionOptions;
  private target: TreeTarget;
  private form: FormName = 'written';
  private tensor: string | null = null;
  private forms: Forms | undefined;
  private version = 0;
  private isStale = false;
  private node: number | undefined;
  private selection: OutlineRange | undefined;
  /** Whether statistics follow what is shown: once asked for, until stopped or failed. */
  private wanted = false;
  private inspected: (Inspected & { readonly key: string }) | undefined;
  private running: { readonly key: string; readonly controller: AbortController } | undefined;
  private statistics: StatisticsState = OFF;
  private asked = 0;
  private undoTree: (() => void) | undefined;
  private undoStatistics: (() => void) | undefined;
  private disposed = false;

  constructor(options: TreeSessionOptions, target: TreeTarget, memory?: Partial<TreeMemory>) {
    this.options = options;
    this.target = target;
    this.form = memory?.form ?? 'written';
    this.tensor = memory?.tensor ?? null;
  }

  get shown(): TreeTarget {
    return this.target;
  }

  /** Shows another metric or formula. */
  async show(target: TreeTarget): Promise<void> {
    if (!sameTarget(this.target, target)) {
      this.target = target;
      this.forms = undefined;
      this.node = undefined;
      this.selection = undefined;
      if (this.statistics.kind === 'failed') this.statistics = OFF;
    }
    await this.readTree();
  }

  /** Something about the document is new: looks again once there is a moment of rest. */
  documentChanged(uri: string): void {
    if (this.target.kind !== 'metric' || this.target.uri !== uri) return;
    this.undoTree?.();
    this.undoTree = this.options.clock.after(TREE_DELAY, () => {
      void this.readTree();
    });
  }

  /** Whether the worker evaluates, or the workspace is trusted, may be otherwise now. */
  lookAgain(): void {
    const { statistics } = this;
    const waits = statistics.kind === 'running' && !this.running && !this.options.isEvaluating();
    const wasTrusted = statistics.kind === 'off' && statistics.action === 'trust' && this.options.isTrusted();
    if (waits || wasTrusted) this.wantStatistics(0);
  }

  /** A metric of a document was evaluated. */
  evaluated({ uri, name }: Target): void {
    if (this.target.kind !== 'metric' || this.target.uri !== uri || this.target.name !== name) return;
    this.wanted = true;
    this.wantStatistics(0);
  }

  /** The cursor stands, or a selection is made, in the text of the metric that is shown. */
  cursor(selection: OutlineRange | undefined): void {
    this.selection = selection;
    this.pointAtCursor();
  }

  receive(message: FromTree): void {
    switch (message.kind) {
      case 'ready':
        this.postMetric();
        this.options.post({ kind: 'statistics', statistics: this.statistics });
        this.options.post({ kind: 'cursor', node: this.node ?? null });
        break;
      case 'select':
        this.select(message.node, message.focus);
        break;
      case 'form':
        this.form = message.form;
        this.node = undefined;
        this.postMetric();
        this.pointAtCursor();
        this.wantStatistics(0);
        break;
      case 'layer':
        this.tensor = message.tensor;
        this.wantStatistics(0);
        break;
      case 'inspect':
        this.wanted = true;
        this.wantStatistics(0);
        break;
      case 'exportFigure':
        // A file of a person's choice: whoever shows the tree asks for it.
        break;
      case 'stop':
        this.wanted = false;
        this.wantStatistics(0);
        break;
      case 'trust':
      case 'showLog':
        // The window's business.
        break;
    }
  }

  dispose(): void {
    this.disposed = true;
    this.undoTree?.();
    this.undoStatistics?.();
    this.running?.controller.abort();
  }

  private select(node: number, focus: boolean): void {
    const { target, version } = this;
    const range = this.currentForm()?.ranges[node];
    this.pointAt(node);
    if (target.kind === 'metric' && range && !this.isStale) this.options.reveal(target.uri, range, version, focus);
  }

  private pointAtCursor(): void {
    const form = this.currentForm();
    this.pointAt(form && this.selection && !this.isStale ? nodeAt(form, this.selection, this.node) : undefined);
  }

  private pointAt(node: number | undefined): void {
    if (node === this.node) return;
    this.node = node;
    this.options.post({ kind: 'cursor', node: node ?? null });
  }

  private async readTree(): Promise<void> {
    const { target } = this;
    const asked = ++this.asked;
    // A server that has ended says nothing: what was shown stays, as stale.
    const tree = target.kind === 'formula' ? undefined : await this.options.treeOf(target).catch(() => null);
    if (this.disposed || asked !== this.asked) return;
    const before = this.forms?.written.expression;
    this.isStale = tree === null;
    if (target.kind === 'formula') this.forms = new Forms(target.expression);
    else if (tree) {
      this.version = tree.version;
      this.forms = new Forms(tree.expression, tree.places);
      if (!before || !sameExpression(before, tree.expression)) this.node = undefined;
    }
    this.postMetric();
    this.pointAtCursor();
    this.wantStatistics(before ? STATISTICS_DELAY : 0);
  }

  private postMetric(): void {
    const { target, form, forms } = this;
    this.options.post({
      kind: 'metric',
      metric: {
        target,
        file: target.kind === 'metric' ? this.options.nameOf(target.uri) : null,
        condition: !this.isStale ? (forms ? 'current' : 'missing') : forms ? 'stale' : 'missing',
        form,
        tree: forms ? bare(forms.get(form)) : null,
        steps: forms?.steps(form) ?? [],
      },
    });
  }

  private currentForm(): Form | undefined {
    return this.forms?.get(this.form);
  }

  /** Brings the statistics in step with what is shown, in `delay` milliseconds. */
  private wantStatistics(delay: number): void {
    this.undoStatistics?.();
    this.undoStatistics = undefined;
    // Without a plan there is nothing to ask: what is known about the last tree stays.
    if (this.isStale && this.forms) return;
    const off = this.whyOff();
    if (off) {
      this.running?.controller.abort();
      this.running = undefined;
      this.tell(off);
      return;
    }
    const update = (): void => {
      void this.inspect();
    };
    if (delay === 0) update();
    else this.undoStatistics = this.options.clock.after(delay, update);
  }

  private whyOff(): StatisticsState | undefined {
    if (!this.forms) return OFF;
    if (!this.options.isTrusted()) {
      const hint = 'Shapes and numbers on a layer read the checkpoint, which needs a workspace that you trust.';
      return { kind: 'off', hint, action: 'trust' };
    }
    if (!this.wanted) {
      if (this.statistics.kind === 'failed') return this.statistics;
      const hint =
        this.target.kind === 'metric'
          ? 'Evaluate the metric, or press Statistics, to see what each node computes on a layer.'
          : 'Press Statistics to see what each node computes on a layer.';
      return { kind: 'off', hint, action: 'inspect' };
    }
    return undefined;
  }

  private async inspect(): Promise<void> {
    const asked = this.asked;
    let plan: EvaluationPlan;
    try {
      plan = await this.plan();
    } catch (thrown) {
      if (asked === this.asked) this.failed(thrown);
      return;
    }
    if (this.disposed || asked !== this.asked || this.whyOff()) return;
    // A layer of another checkpoint is none of this one.
    if (this.inspected && this.inspected.model !== plan.model) this.tensor = null;
    const key = keyOf(plan, this.tensor);
    if (this.inspected?.key === key) {
      this.tellShown(this.inspected);
      return;
    }
    if (this.running?.key === key) return;
    this.running?.controller.abort();
    this.running = undefined;
    if (this.options.isEvaluating()) this.tellRunning('after the evaluation …');
    else await this.run(plan, key);
  }

  private async run(plan: EvaluationPlan, key: string): Promise<void> {
    const running = { key, controller: new AbortController() };
    this.running = running;
    this.tellRunning('asking the worker …');
    const hooks: RequestHooks = {
      signal: running.controller.signal,
      onProgress: ({ detail }) => {
        if (this.running === running) this.tellRunning(`${detail} …`);
      },
    };
    try {
      const inspection = await this.options.inspect({ plan, tensor: this.tensor }, hooks);
      if (this.running !== running) return;
      this.tensor = inspection.tensor;
      const of = printPrefix(asRanked(plan.evaluations[0]!, 'inspecting').expression);
      this.inspected = { key: keyOf(plan, inspection.tensor), of, inspection, model: plan.model };
      this.tellShown(this.inspected);
    } catch (thrown) {
      if (this.running === running) this.failed(thrown);
    }
  }

  private tellRunning(text: string): void {
    this.tell({ kind: 'running', text, before: this.inspected ? plain(this.inspected) : null });
  }

  private tellShown(inspected: Inspected): void {
    this.running?.controller.abort();
    this.running = undefined;
    this.tell({ kind: 'shown', inspected: plain(inspected) });
  }

  private failed(thrown: unknown): void {
    this.running = undefined;
    this.wanted = false;
    this.tell({ kind: 'failed', error: toErrorData(thrown, 'looking at the nodes of the metric') });
  }

  private tell(statistics: StatisticsState): void {
    if (this.disposed) return;
    this.statistics = statistics;
    this.options.post({ kind: 'statistics', statistics });
  }

  /** What to compute: the shown form on the model and the calibration that the metric is evaluated with. */
  private async plan(): Promise<EvaluationPlan> {
    const { target } = this;
    const metric = target.kind === 'metric' ? target.name : target.title;
    const [plan] = target.kind === 'metric' ? await this.options.plansOf(target) : [target.plan];
    if (!plan) throw new RangeError('a metric that can be evaluated has a plan');
    const asked = plan.evaluations.find((evaluation) => evaluation.metric === metric)?.sparsity ?? ANY_SPARSITY;
    const sparsity = asked.kind === 'budget' ? ANY_SPARSITY : asked;
    return { ...plan, evaluations: [{ metric, expression: this.currentForm()!.expression, sparsity }] };
  }
}

/** Equal for requests whose answers are equal. */
function keyOf(
  { model, calibration, gradients, rows, settings, evaluations }: EvaluationPlan,
  tensor: string | null,
): string {
  return JSON.stringify([model, calibration, gradients, rows, settings, scoreText(evaluations[0]!), tensor]);
}

function plain({ of, inspection, model }: Inspected): Inspected {
  return { of, inspection, model };
}

function bare({ expression, references }: Form): ShownForm {
  return { expression, references };
}

function sameTarget(a: TreeTarget, b: TreeTarget): boolean {
  if (a.kind === 'metric') return b.kind === 'metric' && a.uri === b.uri && a.name === b.name;
  return b.kind === 'formula' && a.title === b.title && sameExpression(a.expression, b.expression);
}
