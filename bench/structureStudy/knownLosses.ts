import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';

/** Losses of rates that were measured before, over searches and processes: the same rates have the same loss. */
export class KnownLosses {
  private readonly file: string;
  private readonly fingerprint: string;
  private readonly known = new Map<string, MeasureOutcome>();

  /** @param fingerprint of the opened search: what was measured under another does not count */
  constructor(file: string, fingerprint: string) {
    this.file = file;
    this.fingerprint = fingerprint;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const [of, rates, outcome] = JSON.parse(line) as [string, string, MeasureOutcome];
      if (of === fingerprint) this.known.set(rates, outcome);
    }
  }

  async remembered(
    configurations: readonly (readonly number[])[],
    ask: (configurations: readonly (readonly number[])[]) => Promise<readonly MeasureOutcome[]>,
  ): Promise<readonly MeasureOutcome[]> {
    const keyOf = (rates: readonly number[]): string => rates.join(' ');
    const open = new Map(
      configurations.filter((rates) => !this.known.has(keyOf(rates))).map((rates) => [keyOf(rates), rates]),
    );
    const outcomes = open.size > 0 ? await ask([...open.values()]) : [];
    for (const [index, key] of [...open.keys()].entries()) {
      this.known.set(key, outcomes[index]!);
      appendFileSync(this.file, `${JSON.stringify([this.fingerprint, key, outcomes[index]])}\n`);
    }
    return configurations.map((rates) => this.known.get(keyOf(rates))!);
  }
}
