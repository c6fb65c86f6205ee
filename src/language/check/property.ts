import type { RowsSettings } from '../../experiment/corpusRows.ts';
import type { TaskArgument, TasksSetting } from '../../experiment/taskSettings.ts';
import type { RecoverySettingName } from '../../experiment/recovery.ts';
import type { SettingRow } from '../../experiment/settingRow.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { UpdateSettingName } from '../../experiment/updates.ts';
import type { MethodSettingName } from '../../search/methods.ts';
import type { LlmSettingName } from '../../search/llm/settings.ts';

/** The setting that a property says. */
export interface PropertySetting {
  readonly of:
    'evaluation' | 'method' | 'search' | 'llm' | 'rows' | 'tasks' | 'task' | 'protocol' | 'update' | 'recovery';
  readonly name: string;
  readonly row: SettingRow;
}

/** A setting's property has its name, but for the one that would be called as the corpus is. */
export type EvaluationProperty = Exclude<SettingName, 'calibrate'> | 'calibration';

export type SettingProperty =
  | EvaluationProperty
  | keyof RowsSettings
  | TasksSetting
  | TaskArgument
  | MethodSettingName
  | LlmSettingName
  | UpdateSettingName
  | RecoverySettingName;

/** A property of a block: `NAME: value`. The same name can mean different things in different blocks: `seed`. */
export interface Property {
  readonly name: PropertyName;
  readonly value: PropertyValue;
  readonly documentation: string;
  readonly example: string;
  /** Of `value: 'setting'`. */
  readonly setting?: PropertySetting;
  /** Of `value: 'update'`: what it goes with. */
  readonly updates?: 'weights' | 'structures' | 'any';
  /** Settings that may stand in parentheses behind the value: `calibrate: calib (samples: 128)`. */
  readonly arguments?: readonly Property[];
}

export type PropertyValue =
  | 'model'
  | 'corpus'
  | 'metrics'
  /** Metrics, and what removes whole components. */
  | 'prunings'
  | 'sparsities'
  | 'sparsity'
  /** A sparsity that is no N:M. */
  | 'share'
  | 'operands'
  | 'operations'
  /** A method or metric that ranks components, or single weights. */
  | 'target'
  /** A method or metric that ranks components. */
  | 'score'
  | 'structures'
  /** What becomes of the weights that stay. */
  | 'update'
  /** What is trained after pruning. */
  | 'recovery'
  /** Questions with choices, and what is generated. */
  | 'tasks'
  | 'rates'
  | 'setting';

type InputName =
  | 'model'
  | 'evaluate'
  | 'calibrate'
  | 'gradients'
  | 'train'
  | 'validate'
  | 'recover'
  | 'tasks'
  | 'update'
  | 'protocol'
  | 'prune'
  | 'at'
  | 'test'
  | 'operands'
  | 'operations'
  | 'from'
  | 'baselines'
  | 'target'
  | 'score';

export type PropertyName = InputName | SettingProperty;
