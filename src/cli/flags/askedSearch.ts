import { dirname } from 'node:path';
import { idleInSearch } from '../../search/idleInSearch.ts';
import type { SearchKind, SearchMethod, SearchPlan } from '../../search/kinds.ts';
import { mayAsk } from '../../search/asking.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS, sharesSettings } from '../../search/methods.ts';
import type { LlmSettings } from '../../search/llm/settings.ts';
import type { CompiledDocument, SearchContent, SearchDeclaration } from '../../language/check/document.ts';
import type { SearchBase } from '../../language/plan/overlaidSearch.ts';
import { usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { tellIdle, tellIdleAsking } from './idleFlags.ts';
import { MetricReader } from './metricReader.ts';
import { missingFlags } from './missingFlags.ts';
import { compileFile, metricsOf } from './pruneFile.ts';
import { readFlags, tellWarnings, throwMistake } from './saidFlags.ts';
import type { Options } from './saidFlags.ts';
import { saidSearch } from './searchFlags.ts';
import { saidTasks, taskOverlay } from './taskFlags.ts';
import { saidInputs, saidRows } from './textFlags.ts';
import { flagInSearch } from './flagNames.ts';
import { saidSettings } from './settingFlags.ts';

/** The flags that say which search is meant. */
export interface SearchOptions extends Options {
  readonly search?: string;
  readonly method?: SearchMethod;
  readonly from?: readonly string[];
}

export interface AskedSearch {
  readonly plan: SearchPlan;
  /** The file that it comes from, absolute. */
  readonly document?: string;
}

/**
 * The search that a command line asks for: one of a file with the flags laid over it, or one of flags alone.
 *
 * @param finds what the command finds, where its name says that
 * @throws EspalierError for what is wrong in flags or file; `cli/usage` where they do not say what is searched
 */
export async function askedSearch(
  file: string | undefined,
  options: SearchOptions,
  context: CommandContext,
  finds?: SearchKind,
): Promise<AskedSearch> {
  if (file === undefined && options.search !== undefined) {
    throw usageError('a .prune file with --search', '--search alone', 'Name the file, or leave --search out.');
  }
  const source = file === undefined ? undefined : await compileFile(file, context);
  const declared = source && declaredSearch(source.document, options, finds);
  const method = options.method ?? declared?.content.method ?? DEFAULT_SEARCH_METHOD;
  const { compile } = await import('../../language/check/compile.ts');
  const base: SearchBase = {
    document: source?.document ?? compile(''),
    folder: source ? dirname(source.path) : context.folder,
    method,
    from: source ? (declared ? { search: declared.name } : originIn(source.document, method, options)) : 'nothing',
  };
  try {
    const plan = await planOver(base, source?.document, options, context);
    if (source && !declared && options['json'] !== true) tellLeftOut(source.document, method, context);
    return { plan, ...(source && { document: source.path }) };
  } catch (thrown) {
    throw missingFlags(thrown, finds === undefined ? 'search' : 'evolve', source !== undefined);
  }
}

async function planOver(
  base: SearchBase,
  file: CompiledDocument | undefined,
  options: SearchOptions,
  context: CommandContext,
): Promise<SearchPlan> {
  const { folder } = context;
  const { method } = base;
  const metrics = new MetricReader(file, folder);
  const inputs = [...saidInputs(options, folder), ...saidTasks(options), ...saidSettings(options, flagInSearch)];
  const { content } = await readFlags('defaults', inputs, metrics);
  const common = { ...content, ...taskOverlay(options, content, folder), ...(await saidRows(options, metrics)) };
  const own = await readFlags(method, saidSearch(options, method, folder), metrics);
  const [{ overlaidSearch }, { searchPlanOf }, { mayAskLlm }] = await Promise.all([
    import('../../language/plan/overlaidSearch.ts'),
    import('../../language/plan/searchPlan.ts'),
    import('../../language/plan/plannedLlm.ts'),
  ]);
  const draft = overlaidSearch(base, own, common);
  throwMistake(own);
  const prompts = mayAskLlm(draft.content) && { prompts: await promptsOf(context) };
  const plan = searchPlanOf(draft, { folder: base.folder, ...prompts });
  if (mayAsk(plan)) checkLlm(plan.llm, Object.keys(own.content.llm)[0]);
  if (options['json'] !== true) {
    tellWarnings(own, context);
    tellIdle([idleInSearch(plan)], flagInSearch, options, context);
    tellIdleAsking([plan], options, context);
  }
  return plan;
}

async function promptsOf({ folder, shippedPrompts }: CommandContext) {
  const { loadPrompts } = await import('../../llm/promptTemplates.ts');
  return loadPrompts({ shipped: shippedPrompts, root: folder });
}

/** Says whose settings a search by another method does without. */
function tellLeftOut(
  { declarations }: CompiledDocument,
  method: SearchMethod,
  { terminal }: Pick<CommandContext, 'terminal'>,
): void {
  const others = declarations.filter((declaration) => declaration.kind === 'search');
  if (others.length === 0) return;
  const names = others.map(({ name, content }) => `${name} (${content.method ?? DEFAULT_SEARCH_METHOD})`).join(', ');
  terminal.say(`warning: the file has no search by ${method}: settings, target and baselines of ${names} are left out`);
}

interface DeclaredSearch {
  readonly name: string;
  readonly content: Pick<SearchContent, 'method'>;
}

/**
 * The search of the file that is meant: the one that is named, or the only one, of the method where one is said.
 *
 * @returns undefined where the file has none: then it says what is worked on, and the flags the rest
 */
function declaredSearch(
  { declarations }: CompiledDocument,
  { search: name, method }: SearchOptions,
  finds: SearchKind | undefined,
): DeclaredSearch | undefined {
  const searches = declarations.filter((declaration) => declaration.kind === 'search');
  const methodOf = ({ content }: SearchDeclaration): SearchMethod => content.method ?? DEFAULT_SEARCH_METHOD;
  // What a search says of its method's settings means nothing to another one.
  const isMeant = (search: SearchDeclaration): boolean =>
    (finds === undefined || SEARCH_METHODS[methodOf(search)].finds === finds) &&
    (method === undefined || sharesSettings(methodOf(search), method));
  if (name !== undefined) {
    const named = searches.find((search) => search.name === name);
    // One that there is not is told where it is looked for.
    if (named === undefined || isMeant(named)) return named ?? { name, content: {} };
    const own = methodOf(named);
    throw finds === undefined
      ? usageError(`--method as ${name} has it (${own})`, method!, 'Leave --method out, or name another search.')
      : usageError(`a search for ${finds}`, `${name}, a search by ${own}`, 'Run it with espalier search.');
  }
  const meant = searches.filter(isMeant);
  if (meant.length <= 1) return meant[0];
  const names = meant.map((search) => search.name).join(', ');
  throw usageError(`--search with one of ${names}`, 'a file with several searches', 'Name the one to run.');
}

/** What a search begins with in a file that declares none. */
function originIn(document: CompiledDocument, method: SearchMethod, { from = [] }: SearchOptions): SearchBase['from'] {
  const metrics = metricsOf(document);
  const seed = from.find((text) => metrics.some(({ metric }) => metric === text));
  return seed !== undefined && SEARCH_METHODS[method].finds === 'metrics' ? { metric: seed } : 'evaluation';
}

/**
 * What the editor can ask for, and the command line cannot; a file leaves it open, and no settings say it here.
 *
 * @param setting of the language model, where a flag said one
 */
function checkLlm({ provider, llm }: LlmSettings, setting: string | undefined): void {
  if (provider === 'none' && setting !== undefined) {
    throw usageError('--provider with settings of a language model', 'none', 'Add --provider openai, for example.');
  }
  if (provider === 'openai' && llm.trim() === '') {
    throw usageError('--llm with the name of a language model', 'no --llm', 'Add it: --llm qwen3:8b.');
  }
  if (provider === 'vscode') {
    const remedy = 'Run this search in the editor, or name an endpoint: --provider openai.';
    throw usageError('a language model that the command line can reach', 'that of the editor', remedy);
  }
}
