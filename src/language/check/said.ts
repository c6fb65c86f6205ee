import { parseProperty } from '../syntax/parse.ts';
import type { ParsedDeclaration, ParsedProperty } from '../syntax/pieces.ts';
import type { ExpressionSyntax } from '../syntax/syntax.ts';
import type { SaidSettings } from '../../experiment/settingRow.ts';
import { compileBlock } from './blocks.ts';
import type { CompiledBlock } from './blocks.ts';
import { declaredTasks } from './declarations.ts';
import { compileDefinitions } from './definitions.ts';
import { DiagnosticList, shift } from './diagnostics.ts';
import type { CompiledDocument, SearchContent } from './document.ts';
import { MetricCache } from './metricCache.ts';
import { declareNames } from './names.ts';
import type { PropertyName } from './property.ts';
import type { BlockContext } from './propertyReader.ts';

/** A property that is said outside of any file: by a flag. */
export interface SaidProperty {
  readonly name: PropertyName;
  /** As they were said, one behind the other; each may be a list. */
  readonly values: readonly string[];
  /** Whether the values are texts (paths are), which no quotes stand around: nothing in them means anything. */
  readonly isText?: boolean;
}

/** Properties that were said, read as a block of a file is. */
export interface SaidBlock {
  /** Spans count in {@link text}; its properties are in the order in which they were said. */
  readonly parsed: ParsedDeclaration;
  readonly text: string;
  readonly content: SearchContent;
  /** Of a corpus: what is said of its rows. */
  readonly ownRows: SaidSettings;
  /** Its findings hold what is wrong with the values. */
  readonly context: BlockContext;
}

/**
 * Reads properties as those of a block behind the file: names mean what they mean there.
 *
 * @param labelOf what a metric is called that was said so
 */
export function readSaid(
  document: CompiledDocument,
  keyword: 'experiment' | 'search' | 'defaults' | 'corpus',
  said: readonly SaidProperty[],
  labelOf: (source: string) => string,
): SaidBlock {
  let text = '';
  const properties = said.map((property) => {
    const parsed = parsedOf(property, text.length);
    text += `${parsed.text}\n`;
    return parsed;
  });
  const parsed = { keyword, start: 0, end: text.length, base: 0, text: '', tree: undefined, properties };
  const context = { ...contextOf(document), labelOf };
  for (const { base, tree } of properties) {
    if (tree.problem)
      context.findings.diagnostics.add(tree.problem.code, shift(tree.problem.span, base), tree.problem.message);
  }
  return { parsed, text, ...pick(compileBlock(parsed, context)), context };
}

function pick({ content, ownRows }: CompiledBlock): Pick<CompiledBlock, 'content' | 'ownRows'> {
  return { content, ownRows };
}

function parsedOf({ name, values, isText }: SaidProperty, base: number): ParsedProperty {
  const found: ExpressionSyntax[] = [];
  let text = `${name}:`;
  let problem: ParsedProperty['tree']['problem'];
  for (const value of values) {
    const start = text.length;
    text += ` ${value},`;
    if (isText) {
      found.push({ kind: 'text', text: value, arguments: [], span: { start: start + 1, end: text.length - 1 } });
      continue;
    }
    // Each by itself: no two can run into each other. Blanks stand for those before it, so that spans count in the whole.
    const tree = parseProperty(`${name}:${' '.repeat(start - name.length)}${value}`);
    found.push(...tree.syntax.values);
    problem ??= tree.problem;
  }
  const key = { text: name, span: { start: 0, end: name.length } };
  return { base, text, tree: { syntax: { span: { start: 0, end: text.length }, key, values: found }, problem } };
}

/** The names of a file without errors. */
function contextOf({ text, parsed, metrics }: CompiledDocument): BlockContext {
  const quiet = { diagnostics: new DiagnosticList(), sites: undefined };
  const names = declareNames(parsed.declarations, quiet);
  const definitions = compileDefinitions(names, quiet, new MetricCache(metrics));
  const inside = { names, definitions, paths: new Map<string, never>(), tasks: new Map<string, never>() };
  const tasks = declaredTasks(text, parsed.declarations, { ...inside, findings: quiet });
  return { ...inside, tasks, findings: { diagnostics: new DiagnosticList(), sites: undefined } };
}
