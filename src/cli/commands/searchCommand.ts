import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { VERSION } from '../../base/version.ts';
import type { RunMethod, RunPlan } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { UNIFORM } from '../../experiment/structure.ts';
import type { CompiledDocument, SearchDeclaration } from '../../language/check/document.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { driveRun, resumedRun } from './driveRun.ts';
import type { DriveOptions } from './driveRun.ts';
import { tellIdleInSearch } from '../flags/idleFlags.ts';
import { withModelLength } from '../flags/modelLength.ts';
import { compileFile, metricsOf, withFlags } from '../flags/pruneFile.ts';
import { addAllSearchFlags, methodOverrides } from '../flags/searchFlags.ts';
import { addSearchInputs } from '../flags/searchInputs.ts';
import { searchOfDocument, searchOfFlags } from '../flags/searchPlans.ts';
import type { SearchFlags } from '../flags/searchPlans.ts';
import type { SearchOverrides } from '../flags/settingFlags.ts';
import { maskSearchOfFlags, NO_INPUTS, rateSearchOfFlags } from '../flags/structureSearchPlans.ts';
import type { SearchInputs, StructureSearchFlags } from '../flags/structureSearchPlans.ts';

interface SearchOptions
  extends
    Omit<SearchFlags, 'settings' | 'search'>,
    Omit<StructureSearchFlags, 'overrides'>,
    DriveOptions,
    Readonly<Record<string, unknown>> {
  readonly search?: string;
  readonly method?: RunMethod;
}

export function searchCommand(context: CommandContext): Command {
  const command = new Command('search')
    .description(
      'search for metrics, for how much of each block goes, or for what stays as a whole; every step is kept and can be resumed',
    )
    .argument('[file]', '.prune file with a search; flags override what it says');
  addSearchInputs(command)
    .option(
      '--target <what>',
      'self-pruner: what the rates are of, as wanda-sp, a metric, or weights(METRIC) for single weights (default: wanda-sp)',
    )
    .option(
      '--score <score>',
      'policy-gradient: what keep-probabilities start from, a method or a metric (default: wanda-sp)',
    );
  addAllSearchFlags(command)
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: SearchOptions) => {
      const run = await (options.resume === undefined
        ? begin(file, options, context)
        : resumedRun(options.resume, file, options, context));
      context.finish(await driveRun(run, options, context, 'search'));
    });
  return withExamples(command, [
    ['the search of a file', 'espalier search metrics.prune --search rates'],
    [
      'how much of each block goes, proposed by a language model of one’s own',
      'espalier search --method self-pruner --sparsity 30% --model models/tiny --text valid.txt --test test.txt \\\n' +
        '    --calibration train.txt --samples 16 --length 256 --provider openai \\\n' +
        '    --endpoint http://localhost:11434/v1 --llm qwen3:8b',
    ],
    [
      'what stays as a whole, by policy gradient',
      'espalier search --method policy-gradient --sparsity 30% --model models/tiny --text valid.txt \\\n' +
        '    --calibration train.txt --length 256 --steps 2000',
    ],
    ['go on with one that was interrupted', 'espalier search --resume 20261122-1015'],
    [
      'the best rates',
      "espalier search metrics.prune --method self-pruner --json | tail -n 1 | jq -c '.best[0].rates'",
    ],
  ]);
}

async function begin(file: string | undefined, options: SearchOptions, context: CommandContext): Promise<RunFolder> {
  if (options.recover) throw usageError('--resume with --recover', '--recover alone', 'Say which run to go on with.');
  if (file === undefined && options.search !== undefined) {
    throw usageError('a .prune file with --search', '--search alone', 'Name the file, or leave --search out.');
  }
  const { plan, document } = await (file === undefined
    ? planOfFlags(options, context)
    : planOfFile(file, options, context));
  tellIdleInSearch(plan, methodOverrides(options, plan.search.method).settings, options.json, context);
  const { createRun } = await import('../../runs/runFolder.ts');
  return createRun<RunPlan>(await withModelLength(plan, context), {
    root: context.folder,
    ...(document !== undefined && { document }),
    createdAt: new Date(),
    versions: { espalier: VERSION },
  });
}

interface Requested {
  readonly plan: RunPlan;
  /** The file that it comes from, absolute. */
  readonly document?: string;
}

async function planOfFlags(options: SearchOptions, context: CommandContext): Promise<Requested> {
  const { method = DEFAULT_SEARCH_METHOD } = options;
  if (SEARCH_METHODS[method].finds === 'metrics') return searchOfFlags(metricFlags(options, method), context.folder);
  return { plan: await structurePlan(method, { inputs: NO_INPUTS }, options, context, undefined) };
}

async function planOfFile(file: string, options: SearchOptions, context: CommandContext): Promise<Requested> {
  const compiled = await compileFile(file, context);
  const { path, document } = compiled;
  const declared = declaredSearch(document, options);
  const method = options.method ?? declared?.content.method ?? DEFAULT_SEARCH_METHOD;
  if (SEARCH_METHODS[method].finds === 'metrics') {
    return searchOfDocument(compiled, declared?.name, metricFlags(options, method), context);
  }
  const { model, text, calibration } = options;
  const inFile = {
    folder: dirname(path),
    fallback: {
      ...(model !== undefined && { model: resolve(context.folder, model) }),
      ...(text !== undefined && { text: resolve(context.folder, text) }),
      ...(calibration !== undefined && { calibration: resolve(context.folder, calibration) }),
    },
    prompts: await promptsOf(context),
  };
  try {
    let from: Origin;
    if (declared === undefined) {
      const { planWith } = await import('../../language/plan/plan.ts');
      const score = { kind: 'method', method: 'wanda-sp' } as const;
      const { evaluations, ...inputs } = planWith(document, method, [{ label: method, score, rates: UNIFORM }], inFile);
      const sparsity = evaluations[0]?.sparsity;
      from = { inputs: { ...inputs, ...(sparsity?.kind === 'unstructured' && { sparsity }) } };
    } else {
      const { searchPlansFor } = await import('../../language/plan/searchPlan.ts');
      from = { declared: searchPlansFor(document, declared.name, inFile)[0]! };
    }
    return { plan: await structurePlan(method, from, options, context, document), document: path };
  } catch (thrown) {
    throw withFlags(thrown);
  }
}

/** The search of a file, or what there is to work on where none is declared. */
type Origin = { readonly declared: RunPlan } | { readonly inputs: SearchInputs };

async function structurePlan(
  method: RunMethod,
  from: Origin,
  options: SearchOptions,
  context: CommandContext,
  document: CompiledDocument | undefined,
): Promise<RunPlan> {
  const flags: StructureSearchFlags = { ...options, overrides: methodOverrides(options, method) };
  const reading = { folder: context.folder, metrics: document === undefined ? [] : metricsOf(document) };
  const declared = 'declared' in from ? from.declared : undefined;
  const inputs = 'inputs' in from ? from.inputs : NO_INPUTS;
  if (SEARCH_METHODS[method].finds === 'masks') {
    return maskSearchOfFlags(declared && declared.kind === 'masks' ? declared : inputs, flags, reading);
  }
  if (declared && declared.kind === 'rates') return rateSearchOfFlags(declared, declared.prompts, flags, reading);
  return rateSearchOfFlags(inputs, await promptsOf(context), flags, reading);
}

async function promptsOf({ folder, shippedPrompts }: CommandContext) {
  const { loadPrompts } = await import('../../llm/promptTemplates.ts');
  return loadPrompts({ shipped: shippedPrompts, root: folder });
}

type DeclaredSearch = Pick<SearchDeclaration, 'name'> & {
  readonly content: Pick<SearchDeclaration['content'], 'method'>;
};

/**
 * The search of the file that is meant: the one that is named, or the only one, of the method where one is said.
 *
 * @returns undefined where the file has none: then it says what is worked on, and the flags the rest
 */
function declaredSearch({ declarations }: CompiledDocument, options: SearchOptions): DeclaredSearch | undefined {
  const { search: name, method } = options;
  const kind = method && SEARCH_METHODS[method].finds;
  const searches = declarations.filter((declaration) => declaration.kind === 'search');
  const kindOf = ({ content }: SearchDeclaration) => SEARCH_METHODS[content.method ?? DEFAULT_SEARCH_METHOD].finds;
  if (name !== undefined) {
    const named = searches.find((search) => search.name === name);
    if (named && kind !== undefined && kindOf(named) !== kind) {
      const own = named.content.method ?? DEFAULT_SEARCH_METHOD;
      throw usageError(`--method as ${name} has it (${own})`, method!, 'Leave --method out, or name another search.');
    }
    // One that there is not is told where it is looked for.
    return named ?? { name, content: {} };
  }
  const meant = kind === undefined ? searches : searches.filter((search) => kindOf(search) === kind);
  if (meant.length > 1) {
    throw usageError(
      `--search with one of ${meant.map((search) => search.name).join(', ')}`,
      'a file with several searches',
      'Name the one to run.',
    );
  }
  return meant[0];
}

function metricFlags(options: SearchOptions, method: RunMethod): SearchFlags {
  const { settings, search } = methodOverrides(options, method);
  const said = options.method === undefined ? {} : { method };
  return { ...options, settings, search: { ...search, ...said } as SearchOverrides };
}
