import type { RunRecord } from '../../runs/runRecord.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { perplexityOf } from '../../search/searchState.ts';
import type { SearchState } from '../../search/searchState.ts';
import type { CandidateOutcome } from '../../experiment/searchEvents.ts';

const COLUMNS = [
  'id',
  'generation',
  'formula',
  'perplexity',
  'size',
  'depth',
  'operator',
  'parents',
  'outcome',
  'blocks',
  'same as',
  'reason',
] as const;

/** All candidates of a run as comma-separated values (RFC 4180), with all digits. Generations count from 1, as the panel's do. */
export function runAsCsv({ candidates }: SearchState): string {
  const rows = candidates.map((candidate) => {
    const { id, generation, expression, size, depth, operator, parents, outcome } = candidate;
    return [
      id,
      generation + 1,
      printInfix(parsePrefix(expression)),
      perplexityOf(candidate) ?? '',
      size,
      depth,
      operator,
      parents.join(' '),
      ...outcomeCells(outcome),
    ];
  });
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** What a run was asked and what it found, without the single measurements. */
export function runAsJson(run: RunRecord, state: SearchState): string {
  const { opening, baselines, generations, counts, candidates, finalists, ranking } = state;
  const found = { opening, baselines, generations, counts, finalists, ranking, candidates };
  return `${JSON.stringify({ run, ...found }, undefined, 2)}\n`;
}

function outcomeCells(outcome: CandidateOutcome): (string | number)[] {
  switch (outcome.kind) {
    case 'full':
      return [outcome.kind, '', '', ''];
    case 'stopped':
      return [outcome.kind, outcome.blocks, '', ''];
    case 'shared':
      return [outcome.kind, '', outcome.of, outcome.by];
    case 'invalid':
      return [outcome.kind, '', '', `${outcome.reason}: ${outcome.detail}`];
  }
}

/** Quoted where it has to be. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
