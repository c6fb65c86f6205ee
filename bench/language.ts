/**
 * How long a keystroke in a file of many metrics takes until its diagnostics are there: `npm run bench:language`.
 * Prints, in milliseconds, the median of the first reading, of a keystroke, of the outline that the editor gets after it, and of
 * what it asks for besides: the layout of the file and the meaning of its names.
 */
import { compile } from '../src/language/check/compile.ts';
import type { CompiledDocument } from '../src/language/check/document.ts';
import { formatEdits } from '../src/language/format/format.ts';
import { Planner } from '../src/language/plan/plan.ts';
import { meaningfulTokens } from '../src/language/server/semanticTokens.ts';

export interface LanguageTimes {
  readonly metrics: number;
  readonly characters: number;
  /** Of the whole file, nothing known before. */
  readonly first: number;
  /** Of the file after one more character in one metric. */
  readonly keystroke: number;
  /** What is to be evaluated, with keys, for every metric. */
  readonly outline: number;
  /** The edits that lay the whole file out. */
  readonly layout: number;
  /** What each name stands for, of the whole file. */
  readonly names: number;
}

/** @param metrics how many the file declares, each using others */
export function measureLanguage(metrics: number, repetitions = 21): LanguageTimes {
  const text = sampleFile(metrics);
  const first = median(Array.from({ length: 5 }, () => timed(() => compile(text)).milliseconds));
  let document: CompiledDocument = compile(text);
  const keystrokes: number[] = [];
  const outlines: number[] = [];
  for (let i = 0; i < repetitions; i++) {
    // A digit more behind the number of some metric in the middle, as if typed.
    const at = document.text.indexOf('/ 5', Math.floor((text.length * i) / repetitions)) + 3;
    const typed = `${document.text.slice(0, at)}${i % 10}${document.text.slice(at)}`;
    const next = timed(() => compile(typed, document));
    document = next.value;
    keystrokes.push(next.milliseconds);
    outlines.push(timed(() => outline(document)).milliseconds);
  }
  return {
    metrics,
    characters: text.length,
    first,
    keystroke: median(keystrokes),
    outline: median(outlines),
    layout: median(Array.from({ length: 5 }, () => timed(() => formatEdits(document)).milliseconds)),
    names: timed(() => meaningfulTokens(document)).milliseconds,
  };
}

function outline(document: CompiledDocument): number {
  const planner = new Planner(document);
  const evaluable = document.declarations.filter((declaration) => planner.isEvaluable(declaration));
  return evaluable.map((declaration) => planner.planKey(declaration)).length;
}

function sampleFile(metrics: number): string {
  const lines = ['model tiny = "models/tiny"', 'corpus test = "test.txt"', 'corpus calib = "calib.txt"', ''];
  for (let i = 0; i < metrics; i++) {
    const other = i === 0 ? 'W' : `metric_${(i * 7) % i}`;
    lines.push(`/// Weight magnitude times input norm, variant ${i}`);
    lines.push(`metric metric_${i} = abs(W * W) * mms(X) + ${i % 5 === 0 ? other : 'W'} * sqrt(X) / 5${i}`, '');
  }
  lines.push('experiment halves { model: tiny evaluate: test calibrate: calib prune: metric_1, metric_2 at: 50% }');
  return lines.join('\n');
}

function timed<Value>(work: () => Value): { value: Value; milliseconds: number } {
  const start = performance.now();
  const value = work();
  return { value, milliseconds: performance.now() - start };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

for (const metrics of [250, 1000, 4000]) {
  const times = measureLanguage(metrics);
  const shown = Object.entries(times).map(
    ([name, value]) => `${name} ${Number.isInteger(value) ? value : `${Number(value).toFixed(1)} ms`}`,
  );
  console.log(shown.join('  '));
}
