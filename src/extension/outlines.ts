import { EspalierError } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type {
  OutlineChange,
  OutlineDeclaration,
  OutlineParams,
  PlanParams,
  PlanResult,
} from '../language/server/messages.ts';
import { changedOutline } from '../language/server/outlineChange.ts';
import type { Target } from './evaluate/evaluator.ts';

/** A metric or an experiment of a document. */
export interface EvaluableDeclaration extends OutlineDeclaration {
  readonly kind: 'metric' | 'experiment';
}

export interface OutlinesOptions {
  readonly requestPlans: (params: PlanParams) => Promise<PlanResult>;
  /** What the file leaves open, from the settings. */
  readonly fallbackFor: (uri: string) => NonNullable<PlanParams['fallback']>;
  readonly onChange: (uri: string) => void;
}

/** What the language server says about the open documents, and what their metrics and experiments would evaluate. */
export class Outlines {
  private readonly options: OutlinesOptions;
  private readonly outlines = new Map<string, OutlineParams>();
  private updates = 0;
  /** Plans by target; each remembers what it was asked for, so that an answer is taken for nothing else. */
  private readonly known = new Map<
    string,
    { readonly key: string; readonly plans: readonly EvaluationPlan[] | undefined }
  >();

  constructor(options: OutlinesOptions) {
    this.options = options;
  }

  update(change: OutlineChange): void {
    const { uri } = change;
    this.outlines.set(uri, changedOutline(this.outlines.get(uri), change));
    this.updates++;
    this.options.onChange(uri);
  }

  forget(uri: string): void {
    this.outlines.delete(uri);
    for (const key of this.known.keys()) if (key.startsWith(`${uri}#`)) this.known.delete(key);
  }

  /** What plans stand for may be another now: they are asked for again. */
  forgetPlans(): void {
    this.known.clear();
    for (const uri of this.outlines.keys()) this.options.onChange(uri);
  }

  /** Grows with every outline. */
  get revision(): number {
    return this.updates;
  }

  has(uri: string): boolean {
    return this.outlines.has(uri);
  }

  /** Metrics and experiments, in the order of the file. */
  evaluable(uri: string): readonly EvaluableDeclaration[] {
    const declarations = this.outlines.get(uri)?.declarations ?? [];
    return declarations.filter(
      (declaration): declaration is EvaluableDeclaration =>
        declaration.kind === 'metric' || declaration.kind === 'experiment',
    );
  }

  /** Searches, in the order of the file. */
  searches(uri: string): readonly OutlineDeclaration[] {
    return (this.outlines.get(uri)?.declarations ?? []).filter(({ kind }) => kind === 'search');
  }

  /** Name of the checkpoint that the document declares first. */
  modelName(uri: string): string | undefined {
    return this.outlines.get(uri)?.declarations.find(({ kind }) => kind === 'model')?.name;
  }

  find({ uri, name }: Target): EvaluableDeclaration | undefined {
    return this.evaluable(uri).find((declaration) => declaration.name === name);
  }

  /** Changes exactly when what the target would evaluate changes, the settings included. */
  planKey(target: Target): string | undefined {
    const declaration = this.find(target);
    if (!declaration?.evaluable) return undefined;
    return `${declaration.planKey ?? ''} ${JSON.stringify(this.options.fallbackFor(target.uri))}`;
  }

  /** The plans of a target, as the document and the settings are now. Rejects with the language's coded error. */
  async plans({ uri, name }: Target): Promise<readonly EvaluationPlan[]> {
    const reply = await this.options.requestPlans({ uri, name, fallback: this.options.fallbackFor(uri) });
    if ('error' in reply) throw new EspalierError(reply.error);
    return reply.plans;
  }

  /**
   * The plans of a target as far as they have been asked for: `unknown` before the first answer, `none` where it cannot be
   * planned as it stands. While a change is being asked about, the plans before it stand.
   */
  knownPlans(target: Target): readonly EvaluationPlan[] | 'none' | 'unknown' {
    if (this.planKey(target) === undefined) return 'none';
    const known = this.known.get(keyOf(target));
    return known ? (known.plans ?? 'none') : 'unknown';
  }

  /** Asks for the plans of those targets that are not known as they are now. `onChange` is called when there are new ones. */
  async learnPlans(targets: readonly Target[]): Promise<void> {
    const changed = new Set<string>();
    for (const target of targets) {
      const key = this.planKey(target);
      if (key === undefined || this.known.get(keyOf(target))?.key === key) continue;
      // What cannot be planned now (an input that neither file nor settings name) is shown when someone asks to evaluate it.
      const plans = await this.plans(target).catch(() => undefined);
      if (this.planKey(target) !== key) continue;
      this.known.set(keyOf(target), { key, plans });
      changed.add(target.uri);
    }
    for (const uri of changed) this.options.onChange(uri);
  }
}

function keyOf({ uri, name }: Target): string {
  return `${uri}#${name}`;
}
