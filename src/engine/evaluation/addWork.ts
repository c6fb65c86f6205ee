import type { Preflight } from '../../experiment/preflightSchema.ts';

/** What is done beside what a preflight has foretold. */
interface Added extends Pick<Preflight, 'costs'> {
  readonly flops: number;
  readonly problems?: Preflight['problems'];
}

/** A preflight with more to do, at the pace of all else. */
export function addWork(before: Preflight, { flops, costs, problems = [] }: Added): Preflight {
  return {
    ...before,
    flops: before.flops + flops,
    seconds: before.seconds + flops / (before.gigaflops * 1e9),
    costs: [...before.costs, ...costs].sort((a, b) => b.bytes - a.bytes),
    problems: [...before.problems, ...problems],
  };
}
