import type { InvalidReason, Measured } from '../lifecycle/events.ts';
import { measuredFitness, objectiveIn } from '../lifecycle/objective.ts';
import type { Objective } from '../lifecycle/objective.ts';
import { fitnessOf } from '../lifecycle/outcome.ts';
import type { MetricCandidate, CandidateOutcome, VariationOperator } from './events.ts';

/**
 * Candidates column by column, as they cross from one process to another by the thousand: a third of the size of the same as
 * objects, and quick to write and to read. Element i of every column belongs to the same candidate.
 */
export interface CandidateColumns {
  readonly id: readonly number[];
  /** When it was through, milliseconds since 1970. */
  readonly at: readonly number[];
  readonly generation: readonly number[];
  readonly operator: readonly VariationOperator[];
  readonly parents: readonly (readonly number[])[];
  /** Null where no language model proposed it. */
  readonly call: readonly (number | null)[];
  readonly expression: readonly string[];
  readonly size: readonly number[];
  readonly depth: readonly number[];
  readonly outcome: readonly CandidateOutcome['kind'][];
  /** Null where it is invalid. */
  readonly fitness: readonly (number | null)[];
  /** What the fitness is. */
  readonly objective: Objective;
  /** On the tasks; null where it is not known. */
  readonly accuracy: readonly (number | null)[];
  /** What the outcome says beside its fitness: [rung, blocks], [of, by] or [reason, detail]. */
  readonly detail: readonly (readonly (number | string)[])[];
}

export interface TimedCandidate extends MetricCandidate {
  readonly at: number;
}

export function packCandidates(candidates: readonly TimedCandidate[]): CandidateColumns {
  const column = <T>(of: (candidate: TimedCandidate) => T): T[] => candidates.map(of);
  return {
    id: column(({ id }) => id),
    at: column(({ at }) => at),
    generation: column(({ generation }) => generation),
    operator: column(({ operator }) => operator),
    parents: column(({ parents }) => parents),
    call: column(({ call }) => call ?? null),
    expression: column(({ expression }) => expression),
    size: column(({ size }) => size),
    depth: column(({ depth }) => depth),
    outcome: column(({ outcome }) => outcome.kind),
    fitness: column((candidate) => fitnessOf(candidate) ?? null),
    objective: objectiveIn(candidates.flatMap(({ outcome }) => (outcome.kind === 'invalid' ? [] : [outcome]))[0] ?? {}),
    accuracy: column(({ outcome }) => (outcome.kind === 'invalid' ? null : (outcome.accuracy ?? null))),
    detail: column(({ outcome }) => detailOf(outcome)),
  };
}

export function unpackCandidates(columns: CandidateColumns): TimedCandidate[] {
  return columns.id.map((id, i) => ({
    id,
    at: columns.at[i]!,
    generation: columns.generation[i]!,
    operator: columns.operator[i]!,
    parents: columns.parents[i]!,
    expression: columns.expression[i]!,
    size: columns.size[i]!,
    depth: columns.depth[i]!,
    ...withCall(columns.call[i] ?? null),
    outcome: outcomeOf(
      columns.outcome[i]!,
      measuredFitness(columns.fitness[i] ?? Number.NaN, columns.objective, columns.accuracy[i] ?? undefined),
      columns.detail[i]!,
    ),
  }));
}

function withCall(call: number | null): { call?: number } {
  return call === null ? {} : { call };
}

function detailOf(outcome: CandidateOutcome): readonly (number | string)[] {
  switch (outcome.kind) {
    case 'full':
      return [];
    case 'stopped':
      return [outcome.rung, outcome.blocks];
    case 'shared':
      return [outcome.of, outcome.by];
    case 'invalid':
      return [outcome.reason, outcome.detail];
  }
}

function outcomeOf(
  kind: CandidateOutcome['kind'],
  fitness: Measured,
  [first, second]: readonly (number | string)[],
): CandidateOutcome {
  switch (kind) {
    case 'full':
      return { kind, ...fitness };
    case 'stopped':
      return { kind, rung: Number(first), blocks: Number(second), ...fitness };
    case 'shared':
      return { kind, of: Number(first), by: second === 'canonical' ? 'canonical' : 'mask', ...fitness };
    case 'invalid':
      return { kind, reason: first as InvalidReason, detail: String(second) };
  }
}
