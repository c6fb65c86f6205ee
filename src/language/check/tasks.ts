import { isTaskGroup, KNOWN_TASK_NAMES, knownTask, TASK_GROUPS } from '../../experiment/taskNames.ts';
import { MAX_TASKS } from '../../experiment/tasks.ts';
import { TASKS_SETTINGS } from '../../experiment/taskSettings.ts';
import type { TasksSetting } from '../../experiment/taskSettings.ts';
import { nearestName } from '../../metric/nearest.ts';
import { appliedOf } from './afterMask.ts';
import { readArguments } from './argumentList.ts';
import type { GivenArguments } from './argumentList.ts';
import { propertyNamed } from './blockPlaces.ts';
import { didYouMean, shift } from './diagnostics.ts';
import type { BlockContent, Declaration, OwnTask, SaidTask } from './document.ts';
import { withArticle } from './expressions.ts';
import { pathProblem } from './inputPath.ts';
import type { Property } from './property.ts';
import type { BlockContext, PropertyReader } from './propertyReader.ts';
import { OWN_TASK_ARGUMENTS, TASK_ARGUMENTS, TEMPLATE_EXAMPLES } from './settingProperties.ts';
import { readSetting } from './settingValues.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { readChoices, readField, readTemplate } from './templates.ts';
import type { AppliedSyntax, BindingSyntax, ExpressionSyntax, Span } from '../syntax/syntax.ts';

/** `tasks: seven, piqa (shots: 5)` and `task mine = "mine.jsonl" (context: …)`; what is wrong is told. */

/** The value of `tasks`: those of a group one by one, each once. */
export function readTasks(reader: PropertyReader, values: readonly ExpressionSyntax[]): readonly SaidTask[] {
  const found = new Map<string, SaidTask>();
  for (const value of values) {
    const tasks = readTask(reader, value) ?? [];
    const repeated = tasks.filter((task) => found.has(JSON.stringify(task)));
    if (repeated.length > 0) {
      const names = repeated.map(({ name }) => `\`${name}\``).join(', ');
      reader.tell('experiment/repeated', value.span, `${names} is listed twice and counts once`);
    }
    for (const task of tasks) found.set(JSON.stringify(task), task);
  }
  if (found.size > MAX_TASKS) {
    const message = `these are ${found.size} tasks, and an experiment has at most ${MAX_TASKS}`;
    reader.report('experiment/too-many', values[0]!.span, message);
  }
  return [...found.values()];
}

/** Tells how tasks would be asked where none are. */
export function tellIdleAsking(
  code: 'experiment/no-effect' | 'search/no-effect',
  parsed: ParsedDeclaration,
  { name }: Pick<Declaration, 'name'>,
  { tasks }: Pick<BlockContent, 'tasks'>,
  { findings: { diagnostics } }: BlockContext,
): void {
  for (const setting of tasks ? [] : (Object.keys(TASKS_SETTINGS) as TasksSetting[])) {
    const said = propertyNamed(parsed, setting);
    if (said === undefined) continue;
    const message = `\`${name}\` asks for no tasks: \`${setting}\` has no effect without \`tasks\``;
    diagnostics.add(code, shift(said.tree.syntax.key.span, said.base), message);
  }
}

function readTask(reader: PropertyReader, syntax: ExpressionSyntax): readonly SaidTask[] | undefined {
  const applied = appliedOf(syntax);
  if (applied === undefined) {
    const near = nearestName(reader.word(syntax), KNOWN_TASK_NAMES);
    const { suffix, ...fixes } = didYouMean(reader.at(syntax.span), near);
    const message = 'this has to be the name of a task, such as `piqa`, `seven`, or one that the file declares';
    reader.report('property/type', syntax.span, `${message}${suffix}`, fixes);
    return undefined;
  }
  const { name, span } = applied.callee;
  if (isTaskGroup(name)) {
    reader.site(span, { kind: 'known-task', name });
    const said = readUse(reader, applied);
    if (said.examples !== undefined) {
      const message = `each task of \`${name}\` has examples of its own: name a folder as \`documents\` that holds them`;
      reader.report('call/argument', syntax.span, message);
    }
    return TASK_GROUPS[name].map((each) => ({ name: each, ...said }));
  }
  if (knownTask(name) !== undefined) {
    reader.site(span, { kind: 'known-task', name });
    return [{ name, ...readUse(reader, applied) }];
  }
  return readDeclared(reader, applied);
}

function readDeclared(reader: PropertyReader, applied: AppliedSyntax): readonly SaidTask[] | undefined {
  const { names, tasks } = reader.context;
  const { name, span } = applied.callee;
  const symbol = names.get(name)?.symbol;
  if (symbol === undefined) {
    const near = nearestName(name, KNOWN_TASK_NAMES) ?? names.suggest(name, 'task');
    const { suffix, ...fixes } = didYouMean(reader.at(span), near);
    reader.report('name/unknown', span, `unknown task \`${name}\`${suffix}`, fixes);
    return undefined;
  }
  reader.site(span, symbol);
  if (symbol.kind !== 'task') {
    reader.report('name/wrong-kind', span, `\`${name}\` is ${withArticle(symbol.kind)}, not a task`);
    return undefined;
  }
  const own = tasks.get(name);
  const said = readUse(reader, applied);
  // What is wrong where it is declared has been told there.
  if (own === undefined) reader.broken = true;
  return own && [{ name, ...said, own }];
}

type Use = Pick<SaidTask, 'documents' | 'examples' | 'shots' | 'limit'>;

function readUse(reader: PropertyReader, { callee, span, arguments: given }: AppliedSyntax): Use {
  const said: Record<string, unknown> = {};
  const called = { callee: { text: callee.name, span: callee.span }, span, given };
  readArguments(reader, called, TASK_ARGUMENTS, (property, _, value) => {
    const read = readUseArgument(reader, property, value);
    if (read !== undefined) said[property.name] = read;
  });
  return said;
}

/** `documents`, `examples`, `shots` or `limit`. */
function readUseArgument(reader: PropertyReader, { name, setting }: Property, value: ExpressionSyntax) {
  const read = readSetting(reader, setting!.row, name, value);
  const problem = typeof read === 'string' ? pathProblem(read, 'corpus') : undefined;
  if (problem === undefined) return read;
  reader.report('property/type', value.span, problem);
  return undefined;
}

/**
 * What a declaration says; undefined where it is broken.
 *
 * @param given what stands in its parentheses; nothing where it has a syntax error, which is told alone
 */
export function readOwnTask(
  reader: PropertyReader,
  { name, path }: Pick<BindingSyntax, 'name' | 'path'>,
  isWhole: boolean,
): OwnTask | undefined {
  if (path === undefined) return undefined;
  const problem = pathProblem(path.text, 'corpus');
  if (problem !== undefined) reader.report('property/type', path.span, problem);
  const said: Partial<Record<string, unknown>> = {};
  const call: GivenArguments = {
    ...{ callee: { text: `"${path.text}"`, span: path.span }, span: path.span, given: isWhole ? path.arguments : [] },
  };
  readArguments(reader, call, OWN_TASK_ARGUMENTS, (property, _, value) => {
    said[property.name] = readOwn(reader, property, value);
  });
  const missing = TEMPLATE_NAMES.filter((each) => !(each in said));
  if (isWhole && missing.length > 0) tellMissing(reader, { name, path }, missing);
  const { context, choices, gold, ...others } = said as Partial<OwnTask['template']> & Use;
  if (reader.broken || context === undefined || choices === undefined || gold === undefined) return undefined;
  return { path: path.text, ...others, template: { context, choices, gold } };
}

const TEMPLATE_NAMES = Object.keys(TEMPLATE_EXAMPLES) as (keyof typeof TEMPLATE_EXAMPLES)[];

function readOwn(reader: PropertyReader, property: Property, value: ExpressionSyntax): unknown {
  if (property.name === 'context') return readTemplate(reader, property.name, value);
  if (property.name === 'choices') return readChoices(reader, value);
  if (property.name === 'gold') return readField(reader, property.name, value);
  return readUseArgument(reader, property, value);
}

function tellMissing(
  reader: PropertyReader,
  { name, path }: Pick<BindingSyntax, 'name' | 'path'>,
  missing: readonly (typeof TEMPLATE_NAMES)[number][],
): void {
  const span: Span = name?.span ?? path!.span;
  const listed = missing.map((each) => `\`${each}\``).join(' and ');
  const written = missing.map((each) => TEMPLATE_EXAMPLES[each]).join(', ');
  const last = path!.arguments.at(-1);
  const { end } = last?.span ?? path!.span;
  const edit = { ...reader.at({ start: end, end }), text: last ? `, ${written}` : ` (${written})` };
  // Where nothing stands between the parentheses, they would be doubled.
  const isEmpty = !last && /^\s*\(/.test(reader.source({ start: end, end: end + 100 }));
  const fixes = isEmpty ? [] : [{ title: `Add ${missing.join(', ')}`, edits: [edit] }];
  reader.report('task/missing', span, `task \`${name?.text ?? ''}\` does not say ${listed}`, { fixes });
}
