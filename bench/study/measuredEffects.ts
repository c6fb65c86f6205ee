import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Engine } from '../../src/engine/engine.ts';
import type { ProbeOutcome, MetricEvent } from '../../src/search/metrics/events.ts';
import { printPrefix } from '../../src/metric/print.ts';
import type { Proposal, MetricEffects, Trial } from '../../src/search/metrics/effects.ts';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';
import type { Rung } from '../../src/search/lifecycle/rung.ts';

/**
 * Effects of the arms of a study over one engine. What was measured once is remembered, over arms, seeds and processes: the same
 * expression on the same blocks has the same loss, so an arm's *count* of evaluations is its own while the work is done once.
 */
export class MeasuredEffects implements Omit<MetricEffects, 'emit'> {
  private readonly engine: Engine;
  private readonly file: string;
  private readonly fingerprint: string;
  private readonly known = new Map<string, ProbeOutcome | MeasureOutcome>();

  constructor(engine: Engine, file: string, fingerprint: string) {
    this.engine = engine;
    this.file = file;
    this.fingerprint = fingerprint;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const [of, key, outcome] = JSON.parse(line) as [string, string, ProbeOutcome | MeasureOutcome];
      if (of === fingerprint) this.known.set(key, outcome);
    }
  }

  async probe(candidates: readonly Trial[]): Promise<readonly ProbeOutcome[]> {
    return this.remembered(candidates, 'probe', async (asked) => {
      const expressions = asked.map(({ expression }) => expression);
      const against = asked.map((trial) => trial.against ?? null);
      return (await this.engine.probe({ expressions, against })).map(({ answer }) => answer);
    });
  }

  async measure(candidates: readonly Proposal[], { begin, end }: Rung): Promise<readonly MeasureOutcome[]> {
    return this.remembered(candidates, `${begin}-${end}`, async (asked) => {
      const metrics = asked.map(({ expression }) => ({ kind: 'metric', expression }) as const);
      const on = { kind: 'blocks', begin, end } as const;
      return (await this.engine.measure({ candidates: metrics, on })).map(({ answer }) => answer);
    });
  }

  private async remembered<Outcome extends ProbeOutcome | MeasureOutcome>(
    candidates: readonly Trial[],
    question: string,
    ask: (candidates: readonly Trial[]) => Promise<readonly Outcome[]>,
  ): Promise<readonly Outcome[]> {
    const keyOf = ({ expression, against }: Trial): string =>
      [question, printPrefix(expression), ...(against ? ['against', printPrefix(against)] : [])].join(' ');
    const open = new Map(candidates.filter((one) => !this.known.has(keyOf(one))).map((one) => [keyOf(one), one]));
    const outcomes = open.size > 0 ? await ask([...open.values()]) : [];
    for (const [index, key] of [...open.keys()].entries()) {
      this.known.set(key, outcomes[index]!);
      appendFileSync(this.file, `${JSON.stringify([this.fingerprint, key, outcomes[index]])}\n`);
    }
    return candidates.map((candidate) => this.known.get(keyOf(candidate)) as Outcome);
  }
}

/** The effects of one arm: its own events, the common measurements, in the order of its workers where there are no generations. */
export function armEffects(
  shared: MeasuredEffects,
  { singly }: Pick<MetricEffects, 'singly'>,
  onEvent: (event: MetricEvent) => void,
): MetricEffects {
  return {
    ...(singly && { singly }),
    probe: (candidates) => shared.probe(candidates),
    measure: (candidates, rung) => shared.measure(candidates, rung),
    emit: (event) => {
      onEvent(event);
      return Promise.resolve();
    },
  };
}
