import { compileBlock } from './blocks.ts';
import type { CompiledBlock } from './blocks.ts';
import { compileDefinitions } from './definitions.ts';
import type { SettingRow } from '../../experiment/settingRow.ts';
import { readArguments } from './argumentList.ts';
import { shift } from './diagnostics.ts';
import type { Declaration, MetricDeclaration, OwnTask, SearchContent, TextInput } from './document.ts';
import type { CallableMetric } from './expressions.ts';
import type { Findings } from './findings.ts';
import type { MetricCache } from './metricCache.ts';
import { checkExperiment } from './checkExperiment.ts';
import { declareNames } from './names.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { PropertyReader } from './propertyReader.ts';
import type { BlockContext } from './propertyReader.ts';
import { CORPUS_SETTINGS } from './settingProperties.ts';
import { readSetting } from './settingValues.ts';
import { checkSearch } from './search.ts';
import { readOwnTask } from './tasks.ts';
import type { DeclarationSyntax } from '../syntax/syntax.ts';
import { pathProblem } from './inputPath.ts';

/** Gives every piece of a file its meaning, and tells what is wrong with it. @param cache of the previous version */
export function compileDeclarations(
  text: string,
  pieces: readonly ParsedDeclaration[],
  findings: Findings,
  cache?: MetricCache,
): readonly Declaration[] {
  const names = declareNames(pieces, findings);
  const definitions = compileDefinitions(names, findings, cache);
  const others = pieces.filter(({ keyword }) => keyword !== 'metric');
  const inputs = declaredInputs(text, others, { names, definitions, paths: new Map(), tasks: new Map(), findings });
  const paths = new Map([...inputs].filter(([, { broken }]) => !broken));
  const tasks = declaredTasks(text, others, { names, definitions, paths, tasks: new Map(), findings });
  const context: BlockContext = { names, definitions, paths, tasks, findings };
  const { blocks, defaults } = compileBlocks(others, context);

  const declarationOf = (piece: ParsedDeclaration, syntax: DeclarationSyntax): Declaration => {
    const common = commonOf(piece, syntax);
    const { name } = common;
    const isKnown = syntax.kind === 'defaults' ? blocks.get(piece) === defaults : names.get(name)?.parsed === piece;
    const hasProblem = piece.tree?.problem !== undefined || piece.misspelt !== undefined || !isKnown;
    switch (syntax.kind) {
      case 'model':
      case 'corpus': {
        const input = isKnown ? inputs.get(name) : undefined;
        const { path, rows } = input ?? {};
        const isBroken = hasProblem || path === undefined || input?.broken === true;
        return { ...common, kind: syntax.kind, path, ...(rows && { rows }), broken: isBroken };
      }
      case 'task': {
        const task = isKnown && !hasProblem ? tasks.get(name) : undefined;
        return { ...common, kind: syntax.kind, file: syntax.path?.text, task, broken: task === undefined };
      }
      case 'parameter': {
        const value = isKnown ? definitions.parameters.get(name)?.constant : undefined;
        return { ...common, kind: syntax.kind, value, broken: hasProblem || value === undefined };
      }
      case 'metric': {
        const metric = isKnown ? definitions.metrics.get(name) : undefined;
        return metricOf(common, metric, hasProblem);
      }
      case 'experiment':
      case 'search':
      case 'defaults': {
        const { content, broken } = blocks.get(piece)!;
        const isWhole = !broken && !hasProblem && defaults?.broken !== true;
        const all: SearchContent = { ...defaults?.content, ...content };
        let isWrong = broken || hasProblem;
        if (isWhole && syntax.kind === 'experiment') isWrong = checkExperiment(text, common, all, context, piece);
        if (isWhole && syntax.kind === 'search') isWrong = checkSearch(text, piece, common, all, context);
        return { ...common, kind: syntax.kind, content, broken: isWrong };
      }
    }
  };
  const declarations: Declaration[] = [];
  for (const piece of pieces) if (piece.tree) declarations.push(declarationOf(piece, piece.tree.syntax));
  return declarations;
}

function compileBlocks(
  pieces: readonly ParsedDeclaration[],
  context: BlockContext,
): { blocks: ReadonlyMap<ParsedDeclaration, CompiledBlock>; defaults: CompiledBlock | undefined } {
  const blocks = new Map<ParsedDeclaration, CompiledBlock>();
  let defaults: CompiledBlock | undefined;
  for (const piece of pieces) {
    if (piece.keyword !== 'experiment' && piece.keyword !== 'search' && piece.keyword !== 'defaults') continue;
    const block = compileBlock(piece, context);
    blocks.set(piece, block);
    if (piece.keyword === 'defaults' && defaults !== undefined) {
      const span = { start: piece.start, end: piece.start + piece.keyword.length };
      context.findings.diagnostics.add('name/duplicate', span, 'a file has one `defaults`, and this is the second one');
    } else if (piece.keyword === 'defaults') {
      defaults = block;
    }
  }
  return { blocks, defaults };
}

interface DeclaredInput extends TextInput {
  readonly broken: boolean;
}

/** The paths of models and corpora by name; of two with the same name that of the first one. */
function declaredInputs(
  text: string,
  pieces: readonly ParsedDeclaration[],
  context: BlockContext,
): ReadonlyMap<string, DeclaredInput> {
  const inputs = new Map<string, DeclaredInput>();
  for (const { tree, base } of pieces) {
    const syntax = tree?.syntax;
    if (syntax?.kind !== 'model' && syntax?.kind !== 'corpus') continue;
    const { name, path } = syntax;
    if (path === undefined) continue;
    const reader = new PropertyReader({ base, text: text.slice(base) }, context);
    const problem = pathProblem(path.text, syntax.kind);
    if (problem !== undefined) reader.report('property/type', path.span, problem);
    // Of what has a syntax error that is told alone.
    const rows: Record<string, SettingRow['default']> = {};
    const callee = { text: `"${path.text}"`, span: path.span };
    readArguments(
      reader,
      { callee, span: path.span, given: tree?.problem === undefined ? path.arguments : [] },
      CORPUS_SETTINGS,
      (property, _, value) => {
        const read = readSetting(reader, property.setting!.row, property.name, value);
        if (read !== undefined) rows[property.name] = read;
      },
    );
    if (problem !== undefined || name === undefined || inputs.has(name.text)) continue;
    const said = Object.keys(rows).length > 0 && { rows };
    inputs.set(name.text, { path: path.text, ...said, broken: reader.broken });
  }
  return inputs;
}

/** The tasks that a file declares; of two with the same name the first one. */
export function declaredTasks(
  text: string,
  pieces: readonly ParsedDeclaration[],
  context: BlockContext,
): ReadonlyMap<string, OwnTask> {
  const tasks = new Map<string, OwnTask>();
  const seen = new Set<string>();
  for (const { tree, base } of pieces) {
    const syntax = tree?.syntax;
    if (syntax?.kind !== 'task') continue;
    const reader = new PropertyReader({ base, text: text.slice(base) }, context);
    const task = readOwnTask(reader, syntax, tree?.problem === undefined);
    const name = syntax.name?.text;
    if (name === undefined || seen.has(name)) continue;
    seen.add(name);
    if (task) tasks.set(name, task);
  }
  return tasks;
}

type Common = Pick<Declaration, 'start' | 'end' | 'nameSpan' | 'name'>;

function commonOf(piece: ParsedDeclaration, syntax: DeclarationSyntax): Common {
  const { start, base, properties } = piece;
  let end = base + syntax.span.end;
  for (const property of properties) end = Math.max(end, property.base + property.tree.syntax.span.end);
  const name = syntax.kind === 'defaults' ? 'defaults' : (syntax.name?.text ?? '');
  const keyword = { start, end: start + (piece.misspelt ?? piece.keyword ?? '').length };
  return { start, end, nameSpan: syntax.name ? shift(syntax.name.span, base) : keyword, name };
}

/** Of the many that a file may have, so nothing is spread. */
function metricOf(
  { start, end, nameSpan, name }: Common,
  metric: CallableMetric | undefined,
  hasProblem: boolean,
): MetricDeclaration {
  const own = metric?.parameters ?? [];
  const parameters =
    own.length === 0 ? NONE : own.map((parameter) => ({ name: parameter.name, value: parameter.value }));
  const { expression, shape } = metric?.compiled ?? {};
  const broken = hasProblem || expression === undefined;
  const declared: MetricDeclaration = {
    start,
    end,
    nameSpan,
    name,
    kind: 'metric',
    parameters,
    expression,
    shape,
    broken,
  };
  return metric?.group === undefined ? declared : { ...declared, group: metric.group };
}

const NONE: MetricDeclaration['parameters'] = [];
