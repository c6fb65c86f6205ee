import type { SettingsOf, SettingTable } from './settingRow.ts';

const damping = (of: number, documentation: string) =>
  ({ kind: 'number', default: of, minimum: 0, maximum: 1000, documentation }) as const;

/**
 * How the weights that stay can be changed right after a mask, without training: the one table. Updates of `weights` go with metrics, those of
 * `structures` with what removes whole components.
 */
export const UPDATES = {
  sparsegpt: {
    title: 'SparseGPT',
    of: 'weights',
    documentation:
      'SparseGPT (Frantar and Alistarh 2023): column by column, what a removed weight did is made up for by the columns to its right. Alone it chooses its own mask.',
    settings: {
      damping: damping(0.01, 'share of the mean of H’s diagonal that is added to it (authors: 0.01)'),
      columns: {
        kind: 'integer',
        default: 128,
        minimum: 1,
        maximum: 65_536,
        documentation: 'columns of which the mask is chosen at a time, where SparseGPT chooses it (authors: 128)',
      },
    },
  },
  admm: {
    title: 'ADMM',
    of: 'weights',
    documentation:
      'ADMM under a fixed mask (Boža 2024): the least squares solution on the calibration inputs among all weights with these zeros.',
    settings: {
      iterations: {
        kind: 'integer',
        default: 20,
        minimum: 1,
        maximum: 10_000,
        documentation: 'steps of the method (author: 20)',
      },
      damping: damping(0.1, 'share of the mean of the normalised H’s diagonal that is added to it (author: 0.1)'),
    },
  },
  reconstruct: {
    title: 'Reconstruction',
    of: 'structures',
    documentation:
      'Least squares after whole components went: the output projections of what stays are refitted to what the whole ones gave.',
    settings: {
      damping: damping(0.01, 'share of the mean of H’s diagonal that pulls the refitted weights to what they were'),
    },
  },
} as const satisfies Record<string, UpdateRow>;

interface UpdateRow {
  /** As tables call it. */
  readonly title: string;
  readonly of: 'weights' | 'structures';
  readonly documentation: string;
  readonly settings: SettingTable;
}

export type UpdateMethod = keyof typeof UPDATES;
export const UPDATE_METHODS = Object.keys(UPDATES) as readonly UpdateMethod[];

type UpdateOf<Method extends UpdateMethod> = {
  readonly [Name in Method]: { readonly method: Name } & SettingsOf<(typeof UPDATES)[Name]['settings']>;
}[Method];

export type UpdateSettingName = { [Name in UpdateMethod]: keyof (typeof UPDATES)[Name]['settings'] }[UpdateMethod];

export type WeightUpdate = UpdateOf<'sparsegpt' | 'admm'>;
export type StructureUpdate = UpdateOf<'reconstruct'>;
export type Update = WeightUpdate | StructureUpdate;

export function isUpdateMethod(text: string): text is UpdateMethod {
  return Object.hasOwn(UPDATES, text);
}

export function isWeightUpdate(update: Update): update is WeightUpdate {
  return UPDATES[update.method].of === 'weights';
}

/** `sparsegpt`, `admm (iterations: 50)`: as a `.prune` file says it; settings at their defaults are left out. Equal where two do the same. */
export function updateText({ method, ...settings }: Update): string {
  const table: SettingTable = UPDATES[method].settings;
  const values: Readonly<Record<string, unknown>> = settings;
  const said = Object.entries(table).flatMap(([name, setting]) =>
    values[name] === setting.default ? [] : [`${name}: ${String(values[name])}`],
  );
  return said.length === 0 ? method : `${method} (${said.join(', ')})`;
}
