import { BASELINES } from '../../search/metrics/baselines.ts';
import { printPrefix } from '../../metric/print.ts';
import type { Expression } from '../../metric/expression.ts';
import type { CompiledDocument } from '../../language/check/document.ts';
import { isTree, readMetric } from './metricText.ts';

/**
 * The names that metrics on the command line are read in: those of the file, and those that stand for what the language has no form for,
 * which are trees of Pruner-Zero and the baselines that have a name.
 */
export class MetricReader {
  private readonly file: CompiledDocument | undefined;
  private readonly folder: string;
  /** What was typed, by the name that stands in its place. */
  private readonly typed = new Map<string, string>();
  private declared = '';

  /** @param folder that paths start from */
  constructor(file: CompiledDocument | undefined, folder: string) {
    this.file = file;
    this.folder = folder;
  }

  /** The file, with what has been declared for the command line behind it. */
  async document(): Promise<CompiledDocument> {
    const { compile } = await import('../../language/check/compile.ts');
    return compile(`${this.file?.text ?? ''}\n${this.declared}`, this.file);
  }

  /** What a metric is called: as it was typed. */
  readonly labelOf = (source: string): string => this.typed.get(source.trim()) ?? source.trim();

  /**
   * A value in the language.
   *
   * @param isBaseline whether a name of a baseline means that one
   * @throws EspalierError `metric/syntax`, `metric/json`, `io/read` for a tree that is none
   */
  async replace(value: string, isBaseline: boolean): Promise<string> {
    const baseline = isBaseline ? BASELINES.find(({ metric }) => metric === value.trim()) : undefined;
    if (baseline && !this.isDeclared(baseline.metric)) return this.declare(baseline.metric, baseline.expression);
    const { start, end } = treeIn(value) ?? { start: 0, end: 0 };
    if (start === end) return value;
    const { label, expression } = await readMetric(value.slice(start, end), this.folder);
    return value.slice(0, start) + this.declare(label, expression) + value.slice(end);
  }

  private isDeclared(name: string): boolean {
    return this.file?.declarations.some(({ kind, name: other }) => kind === 'metric' && other === name) ?? false;
  }

  private declare(label: string, expression: Expression): string {
    const name = `__typed_${this.typed.size}`;
    this.typed.set(name, label);
    this.declared += `metric ${name} = ${printPrefix(expression)}\n`;
    return name;
  }
}

/** Where a tree of Pruner-Zero stands in a value: all of it, or in the parentheses of a clause. */
function treeIn(value: string): { readonly start: number; readonly end: number } | undefined {
  if (/\.json\s*$/i.test(value) && !value.includes('\n')) return { start: 0, end: value.length };
  const found = /\{[^]*\}|[^\s(),"][^(),"\n]*\.json(?=\s*[,)])/i.exec(value);
  if (found) return { start: found.index, end: found.index + found[0].length };
  if (!isTree(value)) return undefined;
  // Its code has no commas: behind one stand the rates of the clause.
  const [clause = ''] = /^\s*(?:structure|weights)\s*\((?=\s*\()/.exec(value) ?? [];
  const end = clause === '' ? value.length : value.search(/,[^,]*\)\s*$|\)\s*$/);
  return { start: clause.length, end };
}
