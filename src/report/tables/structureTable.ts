import { formatChange, formatCount, formatPerplexity, formatShare, perplexityDigits } from '../../experiment/format.ts';
import { code, column, text, words } from '../document.ts';
import type { Table } from '../document.ts';
import { methodKeys } from '../references/cited.ts';
import { readRemovalText } from '../repeat/removalText.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { marked } from './marks.ts';
import { citing, onWhat, shortName, sparsityOrder, sparsityTitle } from './methods.ts';

/** What removing whole components leaves: parameters, share of the blocks' weights, perplexity. A row for each evaluation, seeds apart. */
export function structureTable(
  evaluations: readonly ReportedEvaluation[],
  { id, second }: { readonly id: string; readonly second: boolean },
): Table | undefined {
  const whole = evaluations
    .filter(({ result }) => result.structure !== undefined)
    .sort((a, b) => sparsityOrder(a) - sparsityOrder(b) || compare(a.result.metric, b.result.metric));
  const [first] = whole;
  if (first === undefined) return undefined;
  const digits = perplexityDigits(whole.map(({ result }) => result.perplexity));
  const rows = whole.map(({ result }) => {
    const { pruned, dense } = result.structure!.parameters;
    return {
      evaluation: { result },
      before: [
        {
          line: [code(shortName(result.metric)), ...citing(methodKeys(readRemovalText(result)))],
          exact: result.metric,
        },
        words(sparsityTitle({ result } as ReportedEvaluation)),
        { ...words(formatShare(result.actualSparsity)), exact: String(result.actualSparsity) },
        { ...words(formatCount(pruned)), exact: String(pruned) },
        { ...words(formatShare(pruned / dense)), exact: String(pruned / dense) },
      ],
      perplexity: {
        line: [{ kind: 'number', text: formatPerplexity(result.perplexity, digits) } as const],
        exact: String(result.perplexity ?? ''),
      },
      change: words(formatChange(result.perplexity, result.densePerplexity)),
    };
  });
  const bySparsity = new Map<string, readonly number[]>();
  rows.forEach((_, i) => {
    const at = sparsityTitle(whole[i]!);
    bySparsity.set(at, [...(bySparsity.get(at) ?? []), i]);
  });
  const perplexities = rows.map(({ perplexity }) => perplexity as Table['rows'][number][number]);
  for (const places of bySparsity.values()) {
    const own = marked(
      places.map((i) => perplexities[i]!),
      places.map((i) => whole[i]!.result.perplexity),
      { second },
    );
    places.forEach((place, i) => (perplexities[place] = own[i]!));
  }
  return {
    id,
    caption: [text('What is left '), ...onWhat(first), text(' without whole heads, channels, blocks or experts.')],
    columns: [
      column('method'),
      column('asked', 'right'),
      column('removed', 'right'),
      column('parameters', 'right'),
      column('of dense', 'right'),
      column('perplexity', 'right'),
      column('to dense', 'right'),
    ],
    rows: rows.map(({ before, change }, i) => [...before, perplexities[i]!, change]),
    notes: [[text('Asked and removed: share of the weights of the blocks. Best perplexity of each share in bold.')]],
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
