import type { LlmSettings } from '../../search/llm/settings.ts';
import type { NamedStructure } from '../../search/masks/plan.ts';
import type { NamedRates, RateTarget } from '../../search/rates/plan.ts';
import type { SearchMethod } from '../../search/kinds.ts';
import type { PlannedText } from '../../experiment/corpusRows.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { SaidSettings } from '../../experiment/settingRow.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { RateAllocation, StructureScore } from '../../experiment/structureSchema.ts';
import type { TaskTemplate } from '../../experiment/taskSchema.ts';
import type { TasksSetting } from '../../experiment/taskSettings.ts';
import type { StructureUpdate, Update, WeightUpdate } from '../../experiment/updates.ts';
import type { Expression } from '../../metric/expression.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';
import type { Shape } from '../../metric/shape.ts';
import type { Diagnostic } from './diagnostics.ts';
import type { Group } from './groupOption.ts';
import type { MetricCache } from './metricCache.ts';
import type { ParsedFile } from '../syntax/pieces.ts';
import type { Span } from '../syntax/syntax.ts';

/** A `.prune` file, read: what it declares, what is wrong with it, and where each name stands. Offsets are the file's. */
export interface CompiledDocument {
  readonly text: string;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  /** In the order of the text; also those with errors. Of two with the same name the first one counts. */
  readonly declarations: readonly Declaration[];
  /** The syntax, kept so that the next version of the file parses only what changed. */
  readonly parsed: ParsedFile;
  /** Kept so that the next version compiles only what changed. */
  readonly metrics: MetricCache;
}

export type Declaration =
  | PathDeclaration
  | TaskDeclaration
  | ParameterDeclaration
  | MetricDeclaration
  | ExperimentDeclaration
  | SearchDeclaration;

interface CommonDeclaration extends Span {
  /** Of `defaults`: `defaults`. */
  readonly name: string;
  readonly nameSpan: Span;
  /** Whether something in it, or in what it uses, keeps it from being evaluated. */
  readonly broken: boolean;
}

export interface PathDeclaration extends CommonDeclaration {
  readonly kind: 'model' | 'corpus';
  /** As written: relative to the file's folder, absolute, or of the hub (`hf:…`). */
  readonly path: string | undefined;
  /** What a corpus says of its rows. */
  readonly rows?: SaidSettings;
}

/** A task of one's own. */
export interface TaskDeclaration extends CommonDeclaration {
  readonly kind: 'task';
  /** As written, like a path. */
  readonly file: string | undefined;
  /** Undefined where it is broken. */
  readonly task: OwnTask | undefined;
}

/** What the declaration of a task says. */
export interface OwnTask {
  /** As written. */
  readonly path: string;
  readonly examples?: string;
  readonly shots?: number;
  readonly limit?: number;
  readonly template: TaskTemplate;
}

export interface ParameterDeclaration extends CommonDeclaration {
  readonly kind: 'parameter';
  readonly value: number | undefined;
}

export interface MetricDeclaration extends CommonDeclaration {
  readonly kind: 'metric';
  readonly parameters: readonly { readonly name: string; readonly value: number | undefined }[];
  /** With the parameters at their defaults; undefined where it is broken. */
  readonly expression: Expression | undefined;
  readonly shape: Shape | undefined;
  /** What its weights are compared over, where it says so. */
  readonly group?: Group;
}

export interface ExperimentDeclaration extends CommonDeclaration {
  readonly kind: 'experiment' | 'defaults';
  readonly content: BlockContent;
}

export interface SearchDeclaration extends CommonDeclaration {
  readonly kind: 'search';
  readonly content: SearchContent;
}

/** What a block says; what it does not say is undefined. */
export interface BlockContent {
  readonly model?: string;
  readonly evaluate?: TextInput;
  readonly calibrate?: TextInput;
  /** What G is taken on, where that is something else. */
  readonly gradients?: TextInput;
  /** What a recovery trains on, and what it is watched on. */
  readonly train?: TextInput;
  readonly validate?: TextInput;
  /** What the settings begin with. */
  readonly protocol?: ProtocolName;
  /** How texts are made of their rows, said apart from their names: by flags. */
  readonly rows?: Readonly<Partial<Record<PlannedText, SaidSettings>>>;
  readonly prune?: readonly Pruning[];
  readonly at?: readonly Sparsity[];
  /** What is trained after pruning. */
  readonly recover?: Recovery;
  /** What is asked of every model, beside its perplexity or instead of it; and how. */
  readonly tasks?: readonly SaidTask[];
  readonly asking?: Partial<Record<TasksSetting, string>>;
  readonly settings: Partial<EvaluationSettings>;
}

/** A text that a block names. */
export interface TextInput {
  /** As written. */
  readonly path: string;
  /** What is said of its rows, where it is declared and where it is named. */
  readonly rows?: SaidSettings;
}

/** A task that a block names. */
export interface SaidTask {
  readonly name: string;
  /** As written, like paths: what is said where the task is named. */
  readonly documents?: string;
  readonly examples?: string;
  readonly shots?: number;
  readonly limit?: number;
  /** What the declaration says, of a task of one's own. */
  readonly own?: OwnTask;
}

/** What a search says; which of it there can be depends on its method. */
export interface SearchContent extends BlockContent {
  readonly method?: SearchMethod;
  readonly test?: TextInput;
  readonly operands?: readonly OperandName[];
  readonly operations?: readonly OperationName[];
  readonly from?: readonly PrunedMetric[];
  readonly baselines?: readonly PrunedMetric[];
  readonly target?: RateTarget;
  readonly rateBaselines?: readonly NamedRates[];
  readonly score?: NamedScore;
  readonly structureBaselines?: readonly NamedStructure[];
  /** What follows each candidate's mask before its fitness is taken. */
  readonly update?: Update;
  /** Of the method. */
  readonly search: SaidSettings;
  readonly llm: Partial<LlmSettings>;
}

/** What an experiment removes: single weights, or whole components. */
export type Pruning = PrunedMetric | OwnMask | PrunedStructure;

/** SparseGPT chooses what goes while it updates. */
export interface OwnMask {
  readonly label: string;
  readonly update: WeightUpdate;
  readonly rates?: RateAllocation;
}

/** A metric where a block lists some. */
export interface PrunedMetric {
  /** As the user wrote it, blanks evened out; the rates behind it. */
  readonly label: string;
  /** The declared metric that the label names, with or without arguments; undefined for an expression. */
  readonly metric: string | undefined;
  readonly expression: Expression;
  /** What its weights are compared over, where it says so. */
  readonly group?: Group;
  /** Where not every block loses the same share. */
  readonly rates?: RateAllocation;
  /** What becomes of the weights that stay. */
  readonly update?: WeightUpdate;
}

export interface PrunedStructure {
  readonly label: string;
  readonly update?: StructureUpdate;
  readonly score: StructureScore;
  readonly rates: RateAllocation;
}

export interface NamedScore {
  /** The method's name, or the metric as the user wrote it. */
  readonly name: string;
  readonly score: StructureScore;
}
