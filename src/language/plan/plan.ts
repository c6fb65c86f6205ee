import { createHash } from 'node:crypto';
import { isStructural, sampleNeeds, scoreText } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { locate, plannedSettings, plannedTexts } from './plannedInputs.ts';
import { DEFAULT_SPARSITY, printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { protocolOf } from '../../experiment/protocols.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import type { Expression } from '../../metric/expression.ts';
import { printPrefix } from '../../metric/print.ts';
import type {
  BlockContent,
  CompiledDocument,
  Declaration,
  ExperimentDeclaration,
  SearchDeclaration,
  MetricDeclaration,
  PathDeclaration,
  Pruning,
  SaidTask,
  TextInput,
} from '../check/document.ts';
import { mergedSettings } from '../check/mergedSettings.ts';
import { evaluationsAt, isOfWeights, takesNoBudget } from '../check/prunings.ts';
import { brokenDeclaration, MissingInput, noDeclaration } from './planErrors.ts';
import { plannedTasks } from './plannedTasks.ts';
import { evaluationsUnder } from './overlay.ts';
import { groupedBy } from './protocolGroups.ts';
import type { PlanOverlay } from './overlay.ts';
import { undecidingOf } from '../../experiment/settingRow.ts';

/** What plans depend on besides the file. */
export interface PlanContext {
  /** Folder of the file, absolute: relative paths start there. */
  readonly folder: string;
  /** Taken where the file says nothing. An experiment takes no settings from here but those that decide no numbers. */
  readonly fallback?: PlanFallback;
  readonly overlay?: PlanOverlay;
}

export interface PlanFallback {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly settings?: Partial<EvaluationSettings>;
}

/**
 * What there is to evaluate for a metric or experiment of the file, or without a target for all experiments (for all
 * metrics, where the file has no experiment).
 *
 * A metric is evaluated as the first experiment that lists it does; where none does, as the file's first experiment with
 * this metric in its place; without experiments, on what the file's first search evaluates on; without one, by the file's
 * `defaults`, its first model and, if there is only one, its corpus; what is still open comes from the fallback.
 * @throws EspalierError `language/no-such-declaration`, `language/errors` where the target has errors, `settings/invalid`
 *   where it is not said what to evaluate on
 */
export function plansFor(
  document: CompiledDocument,
  target: string | undefined,
  context: PlanContext,
): EvaluationPlan[] {
  return new Planner(document).plansFor(target, context);
}

/**
 * What there is to evaluate where something that is not in the file is pruned with: on what a metric that no experiment lists is
 * evaluated on, at the sparsities there; where these are N:M alone, at half of the weights.
 * @param name what it is, for messages
 * @throws EspalierError as {@link plansFor} does
 */
export function planWith(
  document: CompiledDocument,
  name: string,
  prunings: readonly Pruning[],
  context: PlanContext,
): EvaluationPlan {
  return new Planner(document).planWith(name, prunings, context);
}

/** The plans of one file. Made once for several questions, it looks through the file once. */
export class Planner {
  private readonly sources: PlanSources;
  private ground: string | undefined;

  constructor(document: CompiledDocument) {
    this.sources = findSources(document);
  }

  plansFor(target: string | undefined, context: PlanContext): EvaluationPlan[] {
    const { experiments, metrics } = this.sources;
    if (target !== undefined) return [planOf(this.draftOf(findTarget(this.sources, target)), context)];
    if (experiments.length > 0) return experiments.map((experiment) => planOf(this.draftOf(experiment), context));
    const drafts = metrics.map((metric) => this.draftOf(metric));
    const first = drafts[0];
    if (first === undefined) throw noDeclaration('metric or experiment', undefined, []);
    // Without an experiment all metrics take the same inputs, so that they can share one calibration.
    return [planOf({ ...first, prunings: drafts.flatMap((draft) => draft.prunings) }, context)];
  }

  planWith(name: string, prunings: readonly Pruning[], context: PlanContext): EvaluationPlan {
    const { experiments, searches, defaults } = this.sources;
    const source = experiments[0] ?? searches[0];
    const broken = [source, defaults].find((block) => block?.broken === true);
    if (broken !== undefined) throw brokenDeclaration('experiment', name, broken);
    const draft = this.draftBy(name, source?.content, prunings);
    return planOf({ ...draft, at: sharesOr(draft.at, DEFAULT_SPARSITY) }, context);
  }

  /** Whether this can be planned, given a fallback for what the file leaves open. */
  isEvaluable(declaration: Declaration): boolean {
    if (declaration.kind !== 'metric' && declaration.kind !== 'experiment') return false;
    return !declaration.broken && this.brokenSource(declaration) === undefined;
  }

  /** A string that changes exactly when the plans of an evaluable declaration do, the fallback and the folder aside. */
  planKey(declaration: Declaration): string {
    const isListed = declaration.kind !== 'metric' || this.sources.listing.has(declaration.name);
    const { expression } = isListed ? {} : declaration;
    if (isListed || expression === undefined) return keyOf(this.draftOf(declaration));
    // A metric that no experiment lists takes all else from the same place as the others.
    const ground = this.groundOf(declaration);
    const { name, group } = declaration;
    const known = KEYS.get(expression);
    if (known?.ground === ground && known.name === name && known.group === group) return known.key;
    const key = keyOf(this.draftOf(declaration));
    KEYS.set(expression, { ground, name, group, key });
    return key;
  }

  /** What a metric that no experiment lists is evaluated on: equal exactly where all of its plan is but the metric. */
  private groundOf(declaration: MetricDeclaration): string {
    this.ground ??= JSON.stringify(this.draftBy('', this.sourceOf(declaration)?.content, []));
    return this.ground;
  }

  private draftOf(declaration: Declaration): PlanDraft {
    const broken = declaration.broken ? declaration : this.brokenSource(declaration);
    if (broken !== undefined) throw brokenDeclaration('experiment', declaration.name, broken);
    const own = this.sourceOf(declaration)?.content;
    return this.draftBy(declaration.name, own, pruningsOf(declaration, own));
  }

  /** @param own what says it, on top of the defaults */
  private draftBy(name: string, own: BlockContent | undefined, prunings: readonly Pruning[]): PlanDraft {
    const { defaults, models, corpora } = this.sources;
    const content: Partial<BlockContent> = { ...defaults?.content, ...own };
    const { model, evaluate, calibrate, gradients, train, validate, recover, protocol, at = [] } = content;
    const { tasks = [], asking } = content;
    const [only] = corpora;
    // Who asks for tasks alone means no perplexity.
    const isOnly = protocol === undefined && corpora.length === 1 && tasks.length === 0;
    const text = evaluate ?? (isOnly ? inputOf(only) : undefined);
    return {
      name,
      isExperiment: own !== undefined,
      model: model ?? models[0]?.path,
      texts: {
        ...(text && { evaluate: text }),
        ...(calibrate && { calibrate }),
        ...(gradients && { gradients }),
        ...(train && { train }),
        ...(validate && { validate }),
        ...(protocol && { protocol }),
      },
      prunings,
      ...(recover && { recover }),
      ...(tasks.length > 0 && { tasks }),
      ...(asking && { asking }),
      at: amountsOf(at, prunings),
      settings: mergedSettings(protocol, defaults?.content.settings, own?.settings),
    };
  }

  /** What a declaration is evaluated by, where that has errors. */
  private brokenSource(declaration: Declaration): Declaration | undefined {
    return [this.sourceOf(declaration), this.sources.defaults].find((source) => source?.broken === true);
  }

  /** The experiment that says what a declaration is evaluated on, or the search that it was found by or is to be measured with. */
  private sourceOf(declaration: Declaration): ExperimentDeclaration | SearchDeclaration | undefined {
    if (declaration.kind === 'experiment') return declaration;
    return this.sources.listing.get(declaration.name) ?? this.sources.experiments[0] ?? this.sources.searches[0];
  }
}

/** The sparsities, and what stands in their place where all are N:M: a pattern is of single weights. */
function sharesOr(at: readonly Sparsity[], instead: Sparsity): readonly Sparsity[] {
  return at.some(({ kind }) => kind !== 'n:m') ? at : [instead];
}

/** What a block says, as far as it can be meant: a metric that no block lists has no use for the budgets of one. */
function amountsOf(at: readonly Sparsity[], prunings: readonly Pruning[]): readonly Sparsity[] {
  const meant = prunings.length > 0 && prunings.every(takesNoBudget) ? at.filter(isOfWeights) : at;
  return meant.length > 0 ? meant : [DEFAULT_SPARSITY];
}

/** A plan as far as the file says it; paths are as written. */
interface PlanDraft {
  /** What the plan is for, for messages. */
  readonly name: string;
  /** Whether an experiment says it: it is then meant to be repeatable, whatever the editor's settings are. */
  readonly isExperiment: boolean;
  readonly model: string | undefined;
  readonly texts: Pick<BlockContent, 'evaluate' | 'calibrate' | 'gradients' | 'train' | 'validate' | 'protocol'>;
  readonly recover?: Recovery;
  readonly tasks?: readonly SaidTask[];
  readonly asking?: BlockContent['asking'] & object;
  readonly prunings: readonly Pruning[];
  readonly at: readonly Sparsity[];
  readonly settings: Partial<EvaluationSettings>;
}

function keyOf(draft: PlanDraft): string {
  const evaluations = evaluationsAt(draft.prunings, draft.at, draft.recover).map(
    (evaluation) => `${evaluation.metric}=${spellingOf(evaluation)}@${printSparsity(evaluation.sparsity)}`,
  );
  const settings = Object.entries(draft.settings).sort(([a], [b]) => (a < b ? -1 : 1));
  const tasks = draft.tasks ? [draft.tasks, draft.asking] : [];
  const inputs = [draft.isExperiment, draft.model, draft.texts, settings, evaluations, ...tasks];
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}

/** Keys of metrics that no experiment lists: those that stay from version to version are made once. */
const KEYS = new WeakMap<Expression, KnownKey>();

interface KnownKey {
  readonly ground: string;
  readonly name: string;
  readonly group: MetricDeclaration['group'];
  readonly key: string;
}

function spellingOf(evaluation: PlannedEvaluation): string {
  if (isStructural(evaluation)) return scoreText(evaluation);
  const { expression, rates, group, update, recovery } = evaluation;
  return rates || group || update || recovery || !expression ? scoreText(evaluation) : spelling(expression);
}

/** The expression in full; of one that stays from version to version, spelt once. */
function spelling(expression: Expression): string {
  const known = SPELLINGS.get(expression);
  if (known !== undefined) return known;
  const spelt = printPrefix(expression);
  SPELLINGS.set(expression, spelt);
  return spelt;
}

const SPELLINGS = new WeakMap<Expression, string>();

/** What of a file decides its plans. */
interface PlanSources {
  readonly experiments: readonly ExperimentDeclaration[];
  readonly metrics: readonly MetricDeclaration[];
  readonly models: readonly PathDeclaration[];
  readonly corpora: readonly PathDeclaration[];
  /** Those without mistakes. */
  readonly searches: readonly SearchDeclaration[];
  readonly defaults: ExperimentDeclaration | undefined;
  /** The first experiment that lists a metric, by the metric's name. */
  readonly listing: ReadonlyMap<string, ExperimentDeclaration>;
}

function findSources({ declarations }: CompiledDocument): PlanSources {
  const blocks = declarations.filter((declaration) => 'content' in declaration && declaration.kind !== 'search');
  const experiments = blocks.filter(({ kind }) => kind === 'experiment');
  const paths = declarations.filter((declaration) => 'path' in declaration);
  const listing = new Map<string, ExperimentDeclaration>();
  for (const experiment of experiments) {
    for (const pruning of experiment.content.prune ?? []) {
      const metric = 'metric' in pruning ? pruning.metric : undefined;
      if (metric !== undefined && !listing.has(metric)) listing.set(metric, experiment);
    }
  }
  return {
    experiments,
    metrics: declarations.filter((declaration) => declaration.kind === 'metric'),
    models: paths.filter(({ kind }) => kind === 'model'),
    corpora: paths.filter(({ kind }) => kind === 'corpus'),
    searches: declarations.filter((declaration) => declaration.kind === 'search').filter(({ broken }) => !broken),
    defaults: blocks.find(({ kind }) => kind === 'defaults'),
    listing,
  };
}

function findTarget({ metrics, experiments }: PlanSources, name: string): Declaration {
  const evaluable = [...metrics, ...experiments];
  const found = evaluable.find((declaration) => declaration.name === name);
  if (found !== undefined) return found;
  const names = evaluable.map((declaration) => declaration.name);
  throw noDeclaration('metric or experiment', name, names);
}

function pruningsOf(declaration: Declaration, experiment: BlockContent | undefined): readonly Pruning[] {
  const prunings = experiment?.prune ?? [];
  if (declaration.kind !== 'metric') return prunings;
  const { name, expression, group } = declaration;
  // By itself a metric ranks single weights; what it removes as a whole is the experiment's to evaluate.
  const own = prunings.filter((pruning) => 'metric' in pruning && pruning.metric === name);
  return own.length === 0 && expression ? [{ label: name, metric: name, expression, ...(group && { group }) }] : own;
}

function planOf(draft: PlanDraft, { folder, fallback = {}, overlay = NOTHING }: PlanContext): EvaluationPlan {
  const model = overlay.model ?? draft.model ?? fallback.model;
  const { evaluate, calibrate, gradients, train, validate, rows } = overlay;
  const protocol = overlay.protocol ?? draft.texts.protocol;
  const tasks = plannedTasks(
    { tasks: overlay.tasks ?? draft.tasks ?? [], asking: { ...draft.asking, ...overlay.asking } },
    folder,
    overlay.ofTasks,
  );
  const said = {
    ...withoutProtocol(protocol, tasks ? { ...fallback, text: undefined } : fallback),
    ...draft.texts,
    ...(evaluate && { evaluate }),
    ...(calibrate && { calibrate }),
    ...(gradients && { gradients }),
    ...(train && { train }),
    ...(validate && { validate }),
    ...(protocol && { protocol }),
    ...(rows && { rows }),
  };
  const saidGroup = overlay.settings.group ?? draft.settings.group;
  const evaluations = groupedBy(
    protocol,
    evaluationsUnder(overlay, draft.prunings, draft.at, draft.recover),
    saidGroup,
  );
  const needs = sampleNeeds(evaluations);
  const { text, calibration, gradients: ofGradients, ...more } = plannedTexts(said, folder, 'experiment', needs);
  if (model === undefined) throw new MissingInput('experiment', draft.name, 'model');
  if (text === undefined && tasks === undefined) throw new MissingInput('experiment', draft.name, 'evaluate');
  if (calibration === undefined && needs.calibration) {
    throw new MissingInput('experiment', draft.name, 'calibrate');
  }
  if (more.train === undefined && needs.training) throw new MissingInput('experiment', draft.name, 'train');
  const settings = draft.isExperiment ? undecidingOf(SETTINGS, fallback.settings ?? {}) : fallback.settings;
  return {
    model: locate(folder, model),
    ...(text !== undefined && { text }),
    ...(calibration !== undefined && { calibration }),
    ...(ofGradients !== undefined && { gradients: ofGradients }),
    ...more,
    ...(tasks && { tasks }),
    evaluations,
    settings: plannedSettings(protocol, settings ?? {}, draft.settings, overlay.settings),
  };
}

interface Texts {
  readonly text?: string | undefined;
  readonly calibration?: string;
}

/** What the editor's settings name; a protocol's own texts go before those. */
function withoutProtocol(protocol: ProtocolName | undefined, { text, calibration }: Texts) {
  const texts = protocol === undefined ? {} : protocolOf(protocol).texts;
  return {
    ...(text !== undefined && texts.text?.from === undefined && { evaluate: { path: text } }),
    ...(calibration !== undefined && texts.calibration?.from === undefined && { calibrate: { path: calibration } }),
  };
}

function inputOf(declaration: PathDeclaration | undefined): TextInput | undefined {
  const { path, rows } = declaration ?? {};
  return path === undefined ? undefined : { path, ...(rows && { rows }) };
}

const NOTHING: PlanOverlay = { settings: {} };
