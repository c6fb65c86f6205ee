import type { BlockTimes, ModelCosts, Time } from '../../experiment/costSchema.ts';
import { isTimed } from '../../experiment/costs.ts';
import { formatBytes, formatCount } from '../../experiment/format.ts';

/** What each shape of a model's blocks takes: a table for each kind of block, groups of heads down, channels or experts across. */
export function costsTable(costs: ModelCosts): readonly string[] {
  if (!isTimed(costs)) return [];
  const { times, kinds, blocks } = costs;
  return [
    `milliseconds of a block on ${times.device}: prefill of ${times.batch} × ${times.length}, decode of one token in each of ${times.decodeBatch}`,
    ...times.kinds.flatMap((table, kind) => {
      const indices = blocks.flatMap((block, index) => (block.kind === kind ? [index] : []));
      const { group, channel, expert } = kinds[kind]!.plain;
      const part = expert.parameters > 0 ? (['experts', expert] as const) : (['channels', channel] as const);
      return [
        '',
        `blocks ${indexRanges(indices)}: a group of heads has ${formatCount(group.parameters)} parameters (${formatBytes(group.bytes)}), one of the ${part[0]} ${formatCount(part[1].parameters)} (${formatBytes(part[1].bytes)})`,
        ...(['prefill', 'decode'] as const).flatMap((phase) => ['', ...phaseTable(table, phase, part[0])]),
      ];
    }),
    '',
    `outside the blocks: prefill ${milliseconds(times.outside.prefill)}, decode ${milliseconds(times.outside.decode)}`,
  ];
}

function phaseTable({ groups, channels, times }: BlockTimes, phase: keyof Time, part: string): readonly string[] {
  const rows = [
    [phase, ...channels.map((count) => `${count} ${part}`)],
    ...times.map((row, index) => [`${groups[index]!} groups`, ...row.map((time) => milliseconds(time[phase]))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
}

function milliseconds(seconds: number): string {
  return (1000 * seconds).toPrecision(3);
}

/** `0–5, 8`. */
function indexRanges(indices: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}
