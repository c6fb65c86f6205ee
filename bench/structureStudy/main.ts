import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createEngine } from '../../src/engine/engine.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { SHARED_FILES } from '../work.ts';
import { type Found, METHODS, type MethodName } from './methods.ts';
import { studyTable } from './studyTable.ts';
import { type StudyContext, studyContext } from './studyContext.ts';
import { studyOptions, USAGE } from './studyOptions.ts';

/** One cell of the table: a method at a rate. */
export interface Cell {
  /** Everything that its numbers depend on. */
  readonly key: string;
  readonly method: MethodName;
  readonly rate: number;
  readonly fitness: number;
  readonly unseen: number;
  readonly dense: { readonly fitness: number; readonly unseen: number };
  /** Share of the blocks' weights that went. */
  readonly removed: number;
  /** What is left of the whole model's parameters, where components went. */
  readonly parameters?: number;
  readonly rates?: readonly number[];
  readonly note?: string;
  readonly seconds: number;
}

async function main(): Promise<void> {
  const options = studyOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return;
  }
  const engine = createEngine();
  try {
    const context = studyContext(engine, options);
    const file = context.file('results.jsonl');
    const known = readCells(file);
    const cells: Cell[] = [];
    for (const rate of options.rates) {
      for (const method of options.methods) {
        const key = keyOf(context, method, rate);
        let cell = known.get(key);
        if (!cell) {
          console.error(`${METHODS[method].title} at ${Math.round(100 * rate)} %`);
          cell = await measureCell(context, method, rate, key);
          appendFileSync(file, `${JSON.stringify(cell)}\n`);
        }
        cells.push(cell);
      }
    }
    console.log(studyTable(cells));
  } finally {
    await engine.dispose();
  }
}

async function measureCell(context: StudyContext, method: MethodName, rate: number, key: string): Promise<Cell> {
  const began = performance.now();
  const found = await METHODS[method].find(context, rate);
  const seconds = (performance.now() - began) / 1000;
  const { blocks } = context.settings;
  const fitness = await evaluate(context, found, context.texts.fitness, blocks);
  const unseen = await evaluate(context, found, context.texts.unseen, context.options.unseenBlocks);
  return {
    ...{ key, method, rate },
    ...{ fitness: fitness.perplexity, unseen: unseen.perplexity },
    dense: { fitness: fitness.densePerplexity, unseen: unseen.densePerplexity },
    removed: fitness.actualSparsity,
    ...(fitness.structure && { parameters: fitness.structure.parameters.pruned }),
    ...(fitness.rates && { rates: fitness.rates }),
    ...(found.note !== undefined && { note: found.note }),
    seconds,
  };
}

async function evaluate(
  { engine, settings }: StudyContext,
  { evaluation }: Found,
  text: string,
  blocks: number,
): Promise<PerplexityResult> {
  const [result] = await engine.evaluate({
    model: SHARED_FILES.model,
    text,
    calibration: SHARED_FILES.calibration,
    evaluations: [evaluation],
    settings: { ...settings, blocks },
  });
  return result!;
}

function keyOf(context: StudyContext, method: MethodName, rate: number): string {
  const { seed, samples, blocks, unseenBlocks } = context.options;
  return JSON.stringify({ method, rate, seed, samples, blocks, unseenBlocks, ...METHODS[method].settings(context) });
}

function readCells(file: string): ReadonlyMap<string, Cell> {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line) as Cell).map((cell) => [cell.key, cell]));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
