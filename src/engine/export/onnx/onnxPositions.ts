import type { RotaryPositions } from '../../families/config.ts';
import type { ModelConfig } from '../../families/families.ts';
import { modelLength } from '../../forward/modelLength.ts';
import { alibiTable } from '../../models/alibi.ts';
import { rotaryTables } from '../../models/rope.ts';
import type { AngleNames, RotaryNames } from './onnxAttention.ts';
import type { OnnxGraph } from './onnxGraph.ts';
import type { OnnxSequence } from './onnxSequence.ts';
import type { WeightFiles } from './weightFiles.ts';

/** Positions that rotary tables are written for at most, where a checkpoint claims more: 64 MB with heads of 128. */
const MAX_POSITIONS = 131_072;

/**
 * Longest sequence that an exported model takes: what the model was made for, up to a bound, and at least `tokens`. Learned positions end
 * where their table does, and the tables of dynamic scaling hold up to the trained length.
 */
export function onnxPositions(config: ModelConfig, tokens: number): number {
  const { positions, rotations, maxPositions } = config;
  const isDynamic = (rotation: ModelConfig['positions'] | null): boolean =>
    rotation?.kind === 'rotary' && rotation.scaling.kind === 'dynamic';
  const fixed = positions.kind === 'learned' || (rotations ?? [positions]).some(isDynamic);
  return fixed ? maxPositions : Math.max(tokens, Math.min(Math.max(maxPositions, modelLength(config)), MAX_POSITIONS));
}

/** Writes the tables of what depends on a token's position, and looks them up in the graph: each table once, whichever blocks share it. */
export class OnnxPositions {
  private readonly graph: OnnxGraph;
  private readonly sequence: OnnxSequence;
  private readonly config: ModelConfig;
  private readonly rows: number;
  private readonly weights: WeightFiles;
  private readonly written = new Map<string, RotaryNames>();

  /** @param rows positions: see {@link onnxPositions} */
  constructor(graph: OnnxGraph, sequence: OnnxSequence, config: ModelConfig, rows: number, weights: WeightFiles) {
    this.graph = graph;
    this.sequence = sequence;
    this.config = config;
    this.rows = rows;
    this.weights = weights;
  }

  /** What ALiBi adds to the scores of each of the model's heads [batch, heads, total], where positions are said so. */
  added(): string | undefined {
    const { config, rows, graph } = this;
    if (config.positions.kind !== 'alibi') return undefined;
    const { heads, kvHeads, intermediate } = config;
    const values = new Float32Array(heads * rows);
    const table = alibiTable(config.positions, config, { heads, kvHeads, intermediate }, rows);
    for (const [head, row] of table.entries()) values.set(row, head * rows);
    this.weights.add('alibi', [heads, rows], values);
    const found = graph.node('Gather', ['alibi', this.sequence.allPositions], { axis: 1 });
    return graph.node('Transpose', [found], { perm: [1, 0, 2] });
  }

  /** How a block turns queries and keys. */
  rotary(rotation: RotaryPositions): RotaryNames {
    const key = JSON.stringify(rotation);
    const found =
      this.written.get(key) ?? this.write(rotation, this.written.size === 0 ? 'rotary' : `rotary${this.written.size}`);
    this.written.set(key, found);
    return found;
  }

  private write(rotation: RotaryPositions, name: string): RotaryNames {
    const { scaling, dims, interleaved = false } = rotation;
    const { positions, allPositions } = this.sequence;
    const known = { pairs: dims / 2, interleaved };
    if (scaling.kind !== 'longrope' || this.rows <= scaling.originalPositions) {
      const tables = this.tables(rotation, name, '');
      return { ...known, angles: this.unsqueezed(tables, positions, 2) };
    }
    // The factors depend on the length of each sequence: both tables are there.
    const short = this.tables({ ...rotation, scaling: { ...scaling, longFactor: scaling.shortFactor } }, name, '');
    const long = { tables: this.tables(rotation, name, '.long'), beyond: scaling.originalPositions };
    return {
      ...known,
      angles: this.unsqueezed(short, positions, 2, long),
      allAngles: this.unsqueezed(short, allPositions, 1, long),
    };
  }

  /** Rows of two tables at positions [batch, n] → [batch, n, pairs], with one axis more. */
  private unsqueezed(tables: AngleNames, positions: string, axis: 1 | 2, long?: LongTables): AngleNames {
    const { graph, sequence } = this;
    const { emit } = graph;
    const isLong =
      long &&
      graph.node('Unsqueeze', [
        graph.node('Greater', [sequence.lengths, emit.constant('int64', [], [long.beyond])]),
        emit.integers([2]),
      ]);
    const found = ([0, 1] as const).map((index) => {
      const rows = graph.node('Gather', [tables[index], positions]);
      const chosen =
        long === undefined
          ? rows
          : graph.node('Where', [isLong!, graph.node('Gather', [long.tables[index], positions]), rows]);
      return graph.node('Unsqueeze', [chosen, emit.integers([axis])]);
    });
    return [found[0]!, found[1]!];
  }

  private tables(rotation: RotaryPositions, name: string, suffix: string): AngleNames {
    const { shape, cosines, sines } = rotaryTables(rotation, this.rows, this.config.maxPositions);
    const names = [`${name}.cosines${suffix}`, `${name}.sines${suffix}`] as const;
    this.weights.add(names[0], shape, cosines);
    this.weights.add(names[1], shape, sines);
    return names;
  }
}

/** Those of sequences with more tokens than `beyond`. */
interface LongTables {
  readonly tables: AngleNames;
  readonly beyond: number;
}
