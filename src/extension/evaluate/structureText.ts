import { printBudget } from '../../experiment/budget.ts';
import { figureText } from '../../experiment/costLimit.ts';
import { formatCount, formatShare } from '../../experiment/format.ts';
import { predictionWords } from '../../experiment/prediction.ts';
import type { Prediction } from '../../experiment/predictionSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import type { BlockReport, StructureReport } from '../../experiment/structureSchema.ts';

/** What was removed, as a person reads it: single weights, or what goes as a whole. */

/** `50 %`, `2:4`. */
export function sparsityText(sparsity: Sparsity | undefined): string {
  if (sparsity === undefined) return 'dense';
  return printSparsity(sparsity).replace('%', ' %');
}

/** `50 %` of single weights; `30 % of heads and channels`; `25 % of the experts`; `2 of 6 blocks (33 %)`. */
export function removedText({ sparsity, structure, actualSparsity }: EvaluationResult): string {
  if (!structure) return sparsityText(sparsity);
  const { blocks } = structure;
  if (blocks.some(({ experts }) => experts !== undefined && experts.kept > 0 && experts.kept < experts.of)) {
    return `${sparsityText(sparsity)} of the experts`;
  }
  const dropped = blocks.filter((block) => block.dropped).length;
  const others = blocks.filter((block) => !block.dropped);
  // A budget is no share of anything: what it came to is said beside.
  if (sparsity?.kind === 'budget')
    return `${sparsityText(sparsity)} (${formatShare(actualSparsity)} of the blocks’ weights)`;
  if (dropped === 0) return `${sparsityText(sparsity)} of heads and channels`;
  const gone = `${dropped} of ${blocks.length} blocks`;
  return others.every(({ removed }) => removed === 0)
    ? `${gone} (${formatShare(actualSparsity)})`
    : `${sparsityText(sparsity)} of heads and channels, ${gone} among them`;
}

/** `1.5x faster came to 1.52x faster, with 31 % of each block`; what a budget was resolved to. */
export function budgetText({ asked, figure, share }: StructureReport['budget'] & object): string {
  const rate = share === undefined ? '' : `, at an overall rate of ${formatShare(share)}`;
  return `${printBudget(asked)} was asked for: predicted ${figureText(asked, figure)}${rate}`;
}

/** Markdown: what each block has lost, and what that means for size and speed. */
export function structureTable({ blocks, parameters, budget }: StructureReport, predicted?: Prediction): string {
  const isAsked = blocks.some(({ rate }) => rate !== undefined);
  const isMixture = blocks.some(({ experts }) => experts !== undefined);
  const parts = isMixture ? ['experts kept'] : ['head groups kept', 'channels kept'];
  const head = ['block', ...(isAsked ? ['asked'] : []), 'went', ...parts];
  const kept = (counts: BlockReport['groups'] | undefined): string => (counts ? `${counts.kept} of ${counts.of}` : '–');
  const rows = blocks.map(({ rate, removed, groups, channels, experts, dropped }, i) => [
    String(i + 1),
    ...(isAsked ? [rate === undefined ? '' : formatShare(rate)] : []),
    ...(dropped
      ? ['all of it', ...parts.map(() => '–')]
      : [formatShare(removed), ...(isMixture ? [kept(experts)] : [kept(groups), kept(channels)])]),
  ]);
  const { dense, pruned } = parameters;
  const speed = predicted?.speedUp ? ` Speed: ${predictionWords(predicted)}.` : '';
  return `${spacedTable(head, rows)}\n\n**${formatCount(pruned)}** of ${formatCount(dense)} parameters are left (${formatShare(pruned / dense)}).${speed}${budget ? ` ${budgetText(budget)}.` : ''}`;
}

/** Columns of a hover, at most. */
const MOST_SIDE_BY_SIDE = 6;

/** Markdown: what each block keeps, of several results side by side; undefined where fewer than two removed whole components. */
export function structuresTable(
  results: readonly EvaluationResult[],
  escape: (text: string) => string,
): string | undefined {
  const shown = results.flatMap(({ metric, sparsity, structure }) =>
    structure ? [{ name: `${escape(metric)}, ${sparsityText(sparsity)}`, blocks: structure.blocks }] : [],
  );
  if (shown.length < 2) return undefined;
  const columns = shown.slice(0, MOST_SIDE_BY_SIDE);
  const kept = (block: BlockReport | undefined): string =>
    !block || block.dropped
      ? '–'
      : block.experts
        ? `${block.experts.kept} of ${block.experts.of} experts`
        : `${block.groups.kept} of ${block.groups.of}, ${block.channels.kept} of ${block.channels.of}`;
  const count = Math.max(...columns.map(({ blocks }) => blocks.length));
  const rows = Array.from({ length: count }, (_, i) => [
    String(i + 1),
    ...columns.map(({ blocks }) => kept(blocks[i])),
  ]);
  const head = ['block', ...columns.map(({ name }) => name)];
  return `Head groups and channels that each block keeps:\n\n${spacedTable(head, rows)}`;
}

/** Markdown: a table with room between its columns, which a hover does not leave by itself. */
export function spacedTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join('&emsp; | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Markdown: the share of the weights that each block has lost, where not the same of each. */
export function ratesLine(rates: readonly number[]): string {
  return `by block ${rates.map((rate) => formatShare(rate)).join(', ')}`;
}
