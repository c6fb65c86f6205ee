import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../../experiment/owlSettings.ts';
import type { NamedMetric } from '../../search/metrics/plan.ts';
import { ALLOCATIONS, OWL, STRUCTURE_METHOD_NAMES, UNIFORM } from '../../experiment/structure.ts';
import type { RateAllocation, StructureScore } from '../../experiment/structureSchema.ts';
import { dropsBlocks, isStructureMethod, meanRate, ratesName, structureName } from '../../experiment/structureNames.ts';
import type { NamedScore, PrunedStructure } from '../../language/check/document.ts';
import { nearestName } from '../../metric/nearest.ts';
import { EspalierError } from '../../base/errors.ts';
import { usageError } from '../commands/commandContext.ts';
import { readMetric } from './metricText.ts';
import { settingFlag } from './settingFlags.ts';

/** Flags that say how much of each block goes, as commander has parsed them. */
export interface AllocationOptions {
  readonly rates?: readonly number[];
  readonly allocation?: (typeof ALLOCATIONS)[number];
  readonly owlMultiple?: number;
  readonly owlSpread?: number;
}

export const STRUCTURE_HELP = `whole heads and channels by ${STRUCTURE_METHOD_NAMES.join(', ')}, or by a metric: of the file, or an expression`;

export function addAllocationFlags(command: Command): Command {
  command
    .addOption(
      new Option('--allocation <rates>', 'how much of each block goes (default: uniform)').choices([...ALLOCATIONS]),
    )
    .option(
      '--rates <list>',
      'how much of each block goes, one rate for each, as 0.2,0.4 or 20%,40%; says the sparsity too',
      parseRates,
    );
  for (const name of OWL_SETTING_NAMES) {
    const row = OWL_SETTINGS[name];
    command.addOption(settingFlag(`owl-${name}`, { ...row, documentation: `--allocation owl: ${row.documentation}` }));
  }
  return command;
}

/** @throws EspalierError for flags that contradict each other; undefined where none stands there */
export function allocationOf(options: AllocationOptions): RateAllocation | undefined {
  const { rates, allocation, owlMultiple, owlSpread } = options;
  if (rates !== undefined && allocation !== undefined) {
    throw usageError(
      '--rates or --allocation',
      'both',
      'The rates say all that there is to say: leave --allocation out.',
    );
  }
  const owl = owlMultiple === undefined ? (owlSpread === undefined ? undefined : '--owl-spread') : '--owl-multiple';
  if (owl !== undefined && allocation !== 'owl') {
    throw usageError(`${owl} with --allocation owl`, `${owl} without it`, 'Add --allocation owl, or leave it out.');
  }
  if (rates !== undefined) return { kind: 'given', rates };
  if (allocation === undefined) return undefined;
  if (allocation !== 'owl') return allocation === 'uniform' ? UNIFORM : { kind: allocation };
  return { kind: 'owl', multiple: owlMultiple ?? OWL.multiple, spread: owlSpread ?? OWL.spread };
}

/** @throws EspalierError `cli/usage` for rates of what drops whole blocks */
export function requireRatesFor(score: StructureScore, rates: RateAllocation): void {
  if (score.kind !== 'method' || !dropsBlocks(score.method) || rates.kind === 'uniform') return;
  throw usageError(`${score.method} without rates`, ratesName(rates), 'It drops whole blocks: leave them out.');
}

/** @throws EspalierError `cli/usage` for what drops whole blocks, where heads and channels are ranked */
export function requireComponents(flag: string, { score }: NamedScore): void {
  if (score.kind !== 'method' || !dropsBlocks(score.method)) return;
  const remedy = 'Choose another one, such as wanda-sp, or a metric.';
  throw usageError(`${flag} with what ranks heads and channels`, `${score.method}, which drops whole blocks`, remedy);
}

/** A method by its name, or a metric of the file, or a metric as {@link readMetric} reads it from `folder`. */
export async function parseScore(text: string, metrics: readonly NamedMetric[], folder: string): Promise<NamedScore> {
  const name = text.trim();
  if (isStructureMethod(name)) return { name, score: { kind: 'method', method: name } };
  const known = metrics.find(({ metric }) => metric === name);
  if (known) return { name, score: { kind: 'metric', expression: known.expression } };
  try {
    const { label, expression } = await readMetric(name, folder);
    return { name: label, score: { kind: 'metric', expression } };
  } catch (thrown) {
    if (!(thrown instanceof EspalierError) || thrown.code !== 'metric/syntax') throw thrown;
    const near = nearestName(name, [...STRUCTURE_METHOD_NAMES, ...metrics.map(({ metric }) => metric)]);
    if (near === undefined) throw thrown;
    const known = `one of ${STRUCTURE_METHOD_NAMES.join(', ')}, a metric of the file, or an expression`;
    throw usageError(known, JSON.stringify(name), `Did you mean ${near}?`);
  }
}

/** What `--structure` names, at uniform rates. */
export async function structurePrunings(
  texts: readonly string[],
  metrics: readonly NamedMetric[],
  folder: string,
): Promise<readonly PrunedStructure[]> {
  const scores = await Promise.all(texts.map((text) => parseScore(text, metrics, folder)));
  return scores.map(({ name, score }) => ({ label: structureName(score, name, UNIFORM), score, rates: UNIFORM }));
}

/** @throws InvalidArgumentError for what is no list of rates */
export function parseRates(text: string): readonly number[] {
  const rates = text.split(',').map((part) => {
    const match = /^(\d+(?:\.\d*)?|\.\d+)(%?)$/.exec(part.trim());
    const rate = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : NaN;
    if (rate >= 0 && rate <= 1) return rate;
    throw new InvalidArgumentError(`${JSON.stringify(part)} is no rate: write 0.2 or 20%, one for each block.`);
  });
  if (meanRate(rates) < 1) return rates;
  throw new InvalidArgumentError('These rates leave nothing of the model.');
}
