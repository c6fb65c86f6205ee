import { printPrefix } from '../../metric/print.ts';
import type { Graph } from '../graph/graph.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Groups } from './comparisonGroups.ts';
import type { KeptWeight } from './keptWeights.ts';
import { keyOf, valueOf } from './orderedKeys.ts';
import type { RankedLayer } from './rankedLayer.ts';
import { ScoreSummary } from './scoreCheck.ts';
import { buildScoreGraph } from './scoreGraph.ts';
import { buildCountGraph, buildCutGraph, buildRankGraph, buildTieGraph } from './selectionGraphs.ts';

/** Widest groups whose weights are compared with each other, one by one. */
const SMALL = 32;

/**
 * Prunes weights that lie on a device, where they stay. What goes of a group is said by a threshold, and by the column before which weights with just that
 * score go. Both are found by bisection: the device counts, and one number a row crosses the bus. Its own TopK sorts, which takes some log² n passes.
 */
export class DevicePruner {
  private readonly device: Device;

  constructor(device: Device) {
    this.device = device;
  }

  /**
   * The weight with the lowest scores of each group set to zero; of equal scores the first go first.
   *
   * @throws EspalierError `metric/invalid-score`
   */
  async prune({ layer, expression, metric, operands, groups }: RankedLayer): Promise<KeptWeight> {
    const { weightType } = this.device;
    const shape = layer.shape as [number, number];
    const scoreKey = `score ${printPrefix(expression)} ${shape.join('×')}`;
    const scored = await this.run(scoreKey, operands, () => buildScoreGraph(expression, shape, weightType));
    const score = scored['score']!;
    try {
      const summary = new ScoreSummary().add(scored, shape[1]);
      summary.requireValid(layer, metric);
      const outputs = await this.remove(operands.weight, score, groups, summary);
      const zeros = outputs['zeros']!.floats().reduce((total, count) => total + count, 0);
      return { weight: outputs['pruned']!, zeros };
    } finally {
      score.dispose();
    }
  }

  private async remove(
    weight: DeviceTensor,
    score: DeviceTensor,
    groups: Groups,
    summary: ScoreSummary,
  ): Promise<Record<string, DeviceTensor>> {
    const { size, remove } = groups;
    const shape = score.shape as [number, number];
    if (remove > 0 && size <= SMALL) {
      const build = (): Graph => buildRankGraph(shape, size, remove, weight.type);
      return this.run(`ranks ${remove} of ${size} ${shape.join('×')}`, { score, weight }, build);
    }
    const found = await this.find(score, groups, summary);
    return this.run(`cut ${shape.join('×')}`, { score, weight, ...found }, () => buildCutGraph(shape, weight.type));
  }

  /** Threshold and cut [out, 1] of every row. */
  private async find(
    score: DeviceTensor,
    { size, remove }: Groups,
    { minimum, maximum }: ScoreSummary,
  ): Promise<{ threshold: DeviceTensor; cut: DeviceTensor }> {
    const shape = score.shape as [number, number];
    const [out, columns] = shape;
    const count = (out * columns) / size;
    const rows = out / count;
    const perRow = (of: (group: number, row: number) => number): DeviceTensor =>
      DeviceTensor.fromHost(
        Float32Array.from({ length: out }, (_, row) => of(Math.floor(row / rows), row % rows)),
        [out, 1],
      );
    // Sums over the rows of a group are taken here: float32 counts no further than 2^24.
    const sums = (counts: Float32Array): number[] => {
      const totals = new Array<number>(count).fill(0);
      counts.forEach((value, row) => (totals[Math.floor(row / rows)]! += value));
      return totals;
    };
    const thresholds = (keys: readonly number[]): DeviceTensor => perRow((group) => valueOf(keys[group]!));
    const cuts = (places: readonly number[]): DeviceTensor =>
      perRow((group, row) => Math.min(columns, Math.max(0, places[group]! - row * columns)));

    const all = (value: number): number[] => new Array<number>(count).fill(value);
    // Nothing is below the lowest score, and everything is at most the highest.
    const lowest = keyOf(minimum);
    if (remove === 0) return { threshold: thresholds(all(lowest)), cut: cuts(all(0)) };
    const found = await bisect(all(lowest - 1), all(keyOf(maximum)), all(size), remove, async (keys) => {
      const outputs = await this.run(`count ${shape.join('×')}`, { score, threshold: thresholds(keys) }, () =>
        buildCountGraph(shape),
      );
      return sums(outputs['count']!.floats());
    });
    const threshold = thresholds(found.places);
    const tied = found.counts.map((counted) => counted > remove);
    const none = tied.map((is) => (is ? 0 : size));
    const { places } = await bisect(none, all(size), found.counts, remove, async (columnsBefore) => {
      const inputs = { score, threshold, cut: cuts(columnsBefore) };
      const outputs = await this.run(`ties ${shape.join('×')}`, inputs, () => buildTieGraph(shape));
      return sums(outputs['count']!.floats());
    });
    return { threshold, cut: cuts(places) };
  }

  private async run(
    name: string,
    inputs: Readonly<Record<string, DeviceTensor>>,
    build: () => Graph,
  ): Promise<Record<string, DeviceTensor>> {
    const onHost = (output: string): boolean => output !== 'score' && output !== 'pruned';
    return (await this.device.program(`prune ${name}`, build, onHost)).run(inputs);
  }
}

/**
 * Of every group the first place at which `count` says `remove` or more, and what it says there.
 *
 * @param low places at which it says less
 * @param high places at which it says enough
 * @param counts what it says there
 */
async function bisect(
  low: readonly number[],
  high: readonly number[],
  counts: readonly number[],
  remove: number,
  count: (places: readonly number[]) => Promise<readonly number[]>,
): Promise<{ readonly places: readonly number[]; readonly counts: readonly number[] }> {
  const [below, places, found] = [[...low], [...high], [...counts]];
  const isOpen = (group: number): boolean => places[group]! - below[group]! > 1 && found[group]! > remove;
  while (places.some((_, group) => isOpen(group))) {
    const middles = places.map((place, group) => (isOpen(group) ? Math.floor((below[group]! + place) / 2) : place));
    const counted = await count(middles);
    middles.forEach((middle, group) => {
      if (!isOpen(group)) return;
      if (counted[group]! < remove) {
        below[group] = middle;
      } else {
        places[group] = middle;
        found[group] = counted[group]!;
      }
    });
  }
  return { places, counts: found };
}
