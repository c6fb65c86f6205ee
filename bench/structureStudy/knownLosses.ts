import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';
import type { Rung } from '../../src/search/lifecycle/rung.ts';
import type { Configuration } from '../../src/search/rates/configuration.ts';

/** Losses that were measured before, over searches and processes: a configuration has the same loss on the same blocks. */
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
      const [of, key, outcome] = JSON.parse(line) as [string, string, MeasureOutcome];
      if (of === fingerprint) this.known.set(key, outcome);
    }
  }

  /** @param rung whose blocks are measured on; its index tells nothing */
  async remembered(
    configurations: readonly Configuration[],
    { begin, end }: Rung,
    ask: (configurations: readonly Configuration[]) => Promise<readonly MeasureOutcome[]>,
  ): Promise<readonly MeasureOutcome[]> {
    const keyOf = ({ rates, dropped }: Configuration): string => JSON.stringify({ rates, dropped, begin, end });
    const open = new Map(configurations.filter((one) => !this.known.has(keyOf(one))).map((one) => [keyOf(one), one]));
    const outcomes = open.size > 0 ? await ask([...open.values()]) : [];
    for (const [index, key] of [...open.keys()].entries()) {
      this.known.set(key, outcomes[index]!);
      appendFileSync(this.file, `${JSON.stringify([this.fingerprint, key, outcomes[index]])}\n`);
    }
    return configurations.map((one) => this.known.get(keyOf(one))!);
  }
}
