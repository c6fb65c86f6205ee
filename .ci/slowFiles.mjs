// Which files of the slow suite one run of CI tries, and how long each of them takes.
import { readdirSync, readFileSync } from 'node:fs';
import { orderBySeed, withinBudget } from './withinBudget.mjs';

/**
 * Seconds of processor (user and system) of `npx vitest run --config vitest.slow.config.ts FILE`, with a software GPU and PyTorch at hand:
 * a busy machine changes them less than it does the time. null: not measured yet. `test/scripts/slowFiles.test.ts` wants each file here.
 */
export const SECONDS = JSON.parse(readFileSync(new URL('slowSeconds.json', import.meta.url), 'utf8'));

/** Of a file that nobody has measured. */
const UNKNOWN = 60;

/** What slow files may take of a run of CI. */
export const BUDGET = 40;

/** What vitest.slow.config.ts includes. */
const ALSO = ['test/runs/hostileRuns.test.ts', 'test/engine/corpus/hostileData.test.ts', 'test/engine/webgpu.test.ts'];

/** All of them, seen from the checkout. */
export function slowFiles() {
  const files = readdirSync('test', { recursive: true }).map((name) => `test/${name}`);
  return [...files.filter((file) => file.endsWith('.slow.ts')), ...ALSO];
}

/** Whether a file compares with PyTorch. */
export function needsReference(file) {
  return /support\/(recoveryPeer|peer)\.ts'/.test(readFileSync(file, 'utf8'));
}

/**
 * In an order that the seed says: the first file, however long it is, so that each has its turn; the first that needs the reference; then whatever
 * of the others still fits into the budget.
 */
export function chooseFiles(seed, files = slowFiles()) {
  const order = orderBySeed(seed, files);
  return withinBudget(order, [order[0], order.find(needsReference)], BUDGET, secondsOf);
}

export function secondsOf(file) {
  return SECONDS[file] ?? UNKNOWN;
}
