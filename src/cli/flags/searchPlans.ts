import { dirname, resolve } from 'node:path';
import type { EspalierError } from '../../base/errors.ts';
import { BASELINES, defaultBaselines } from '../../search/metrics/baselines.ts';
import {
  DEFAULT_SEARCH_OPERANDS,
  DEFAULT_SEARCH_OPERATIONS,
  DEFAULT_SEARCH_SETTINGS,
} from '../../search/metrics/plan.ts';
import type { NamedMetric, SearchPlan } from '../../search/metrics/plan.ts';
import type { PromptTemplates } from '../../search/rates/llm.ts';
import { isMetricSearch, runKind } from '../../search/kinds.ts';
import type { RunPlan } from '../../search/kinds.ts';
import { searchConflict } from '../../search/conflict.ts';
import type { SearchConflict } from '../../search/conflict.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import { DEFAULT_SPARSITY } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { operandsOf } from '../../metric/measure.ts';
import { OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';
import { usageError } from '../commands/commandContext.ts';
import { readMetric } from './metricText.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { metricsOf, withFlags } from './pruneFile.ts';
import type { CompiledFile } from './pruneFile.ts';
import type { SearchOverrides, SettingOverrides } from './settingFlags.ts';

/** What the flags of `espalier evolve` say. Paths and metrics are as typed. */
export interface SearchFlags {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly test?: string;
  readonly sparsity?: Sparsity;
  readonly operands?: readonly OperandName[];
  readonly operations?: readonly OperationName[];
  /** Metrics that the first generation starts from. */
  readonly from?: readonly string[];
  readonly baseline?: readonly string[];
  readonly settings: SettingOverrides;
  readonly search: SearchOverrides;
}

export interface RequestedSearch {
  readonly plan: SearchPlan;
  /** The file that it comes from, absolute. */
  readonly document?: string;
}

/** The search that a command line without a file asks for. */
export async function searchOfFlags(flags: SearchFlags, folder: string): Promise<RequestedSearch> {
  const { model, text } = flags;
  if (model === undefined) throw missing('--model', 'a checkpoint folder');
  if (text === undefined) throw missing('--text', 'the text whose perplexity is the fitness');
  const operands = flags.operands ?? DEFAULT_SEARCH_OPERANDS;
  const plan: SearchPlan = {
    name: 'search',
    model: resolve(folder, model),
    text: resolve(folder, text),
    sparsity: DEFAULT_SPARSITY,
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands,
    seeds: [],
    baselines: defaultBaselines(operands),
    settings: DEFAULT_SETTINGS,
    search: DEFAULT_SEARCH_SETTINGS,
  };
  return { plan: checked(await withOverrides(plan, flags, folder, [])) };
}

/** The search of a file, its only one where none is named, with the flags laid over it. */
export async function searchOfDocument(
  { path, document }: CompiledFile,
  name: string | undefined,
  flags: SearchFlags,
  context: Pick<CommandContext, 'folder'>,
): Promise<RequestedSearch> {
  const { searchKind, searchPlanFrom, searchPlansFor } = await import('../../language/plan/searchPlan.ts');
  const inFile = {
    folder: dirname(path),
    fallback: { ...pathsOf(flags, context.folder), settings: flags.settings, search: flags.search },
  };
  const metrics = metricsOf(document);
  const searches = document.declarations
    .filter((declaration) => declaration.kind === 'search')
    .filter((search) => searchKind(search) === 'metrics')
    .map((search) => search.name);
  const seed = flags.from?.find((text) => metrics.some(({ metric }) => metric === text));
  let plan: SearchPlan;
  try {
    if (name === undefined && searches.length === 0 && seed !== undefined) {
      plan = searchPlanFrom(document, seed, inFile);
    } else if (name === undefined && searches.length > 1) {
      throw usageError(
        `--search with one of ${searches.join(', ')}`,
        'a file with several searches',
        'Name the one to run.',
      );
    } else {
      plan = metricSearch(searchPlansFor(document, name ?? searches[0], { ...inFile, prompts: NO_PROMPTS })[0]!);
    }
  } catch (thrown) {
    throw withFlags(thrown);
  }
  return { plan: checked(await withOverrides(plan, flags, context.folder, metrics)), document: path };
}

function metricSearch(plan: RunPlan): SearchPlan {
  if (isMetricSearch(plan)) return plan;
  throw usageError(
    'a search for metrics',
    `${plan.name}, a search for ${runKind(plan)}`,
    'Run it with espalier search.',
  );
}

/** A search for metrics asks nobody. */
const NO_PROMPTS: PromptTemplates = { initialise: '', mutate: '', cross: '', again: '' };

async function withOverrides(
  plan: SearchPlan,
  flags: SearchFlags,
  folder: string,
  metrics: readonly NamedMetric[],
): Promise<SearchPlan> {
  const { sparsity, operands = plan.operands, operations = plan.operations, from, baseline, settings, search } = flags;
  const isCollected = ({ expression }: NamedMetric): boolean =>
    operandsOf(expression).every((name) => operands.includes(name));
  return {
    ...plan,
    ...pathsOf(flags, folder),
    ...(sparsity && { sparsity }),
    operands,
    operations,
    ...(from && { seeds: await namedMetrics(from, metrics, folder) }),
    // Baselines of other operands than before would have their statistics collected for them alone.
    baselines: baseline
      ? await namedMetrics(baseline, [...metrics, ...BASELINES], folder)
      : flags.operands
        ? plan.baselines.filter(isCollected)
        : plan.baselines,
    settings: { ...plan.settings, ...settings },
    search: { ...plan.search, ...search },
  };
}

function pathsOf({ model, text, calibration, test }: SearchFlags, folder: string) {
  return {
    ...(model !== undefined && { model: resolve(folder, model) }),
    ...(text !== undefined && { text: resolve(folder, text) }),
    ...(calibration !== undefined && { calibration: resolve(folder, calibration) }),
    ...(test !== undefined && { test: resolve(folder, test) }),
  };
}

/** Each is the name of one of `metrics`, or a metric as {@link readMetric} reads it from `folder`. */
function namedMetrics(
  texts: readonly string[],
  metrics: readonly NamedMetric[],
  folder: string,
): Promise<readonly NamedMetric[]> {
  return Promise.all(
    texts.map(async (text) => {
      const known = metrics.find(({ metric }) => metric === text.trim());
      if (known) return known;
      const { label, expression } = await readMetric(text, folder);
      return { metric: label, expression };
    }),
  );
}

/** What would fail only after the model is loaded, or find nothing, is said before. */
function checked(plan: SearchPlan): SearchPlan {
  const { calibration, test, text, operands, seeds, baselines } = plan;
  const all = new Set([...operands, ...[...seeds, ...baselines].flatMap(({ expression }) => operandsOf(expression))]);
  const collected = [...all].filter((name) => OPERANDS[name].needs.length > 0);
  if (calibration === undefined && collected.length > 0) {
    throw usageError(
      '--calibration with a text to calibrate on',
      `operands that are collected from one (${collected.join(', ')})`,
      'Add it, or search without them: --operands W.',
    );
  }
  if (test !== undefined && (test === text || test === calibration)) {
    throw usageError(
      '--test with a text that the search never sees',
      test === text ? 'the one that its fitness is taken on' : 'the one that it calibrates on',
      'Name another text.',
    );
  }
  const conflict = searchConflict(plan.search);
  if (conflict !== undefined) throw conflictError(conflict);
  return plan;
}

export function conflictError({ settings: [first, second], message, value }: SearchConflict<string>): EspalierError {
  return usageError(
    `--${first} and --${second} that go together`,
    message.replaceAll('`', ''),
    `Add --${second} ${value}, for example.`,
  );
}

function missing(flag: string, what: string): EspalierError {
  return usageError(
    `${flag} with ${what}`,
    `no ${flag}`,
    'Add it, or name a .prune file with a search; `espalier evolve --help` shows both.',
  );
}
