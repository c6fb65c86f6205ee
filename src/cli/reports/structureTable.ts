import { describeError } from '../../base/errors.ts';
import { formatChange, formatCount, formatPerplexity, formatShare } from '../../experiment/format.ts';
import type { FinalistEvent, ComponentsOpening } from '../../search/lifecycle/events.ts';
import { denseText } from '../../search/lifecycle/fitnessText.ts';
import { configurationOf } from '../../search/rates/configuration.ts';
import type { Configuration } from '../../search/rates/configuration.ts';
import { fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import type { AnyFitness } from '../../search/lifecycle/objective.ts';
import { chosenBy } from './chosenBy.ts';
import type { ChosenBy } from './chosenBy.ts';
import { ownFitness } from './foundFitness.ts';
import type { OwnFitness } from './foundFitness.ts';
import { finalTasks } from './taskJson.ts';
import { finalTaskLines } from './taskTable.ts';
import type { Terminal } from '../terminal.ts';

/** What searches for rates and for masks have in common when they tell what they have found. */

/**
 * Finalists and baselines, evaluated as they would be outside the search, the best by its objective first, and why one was not; nothing before they are.
 *
 * @param measured what the search has of a finalist or baseline
 */
export function finalTable(
  { finalists: unordered, opening }: { readonly finalists: Finalists; readonly opening: ComponentsOpening | undefined },
  measured: (finalist: FinalistEvent) => AnyFitness | undefined,
  out: Terminal['out'],
): readonly string[] {
  if (unordered.length === 0) return [];
  const objective = objectiveOf(opening);
  const placeOf = (finalist: FinalistEvent): number =>
    (objective === 'perplexity' ? finalist.result?.perplexity : fitnessIn(measured(finalist) ?? {})) ?? Infinity;
  const finalists = [...unordered].sort((a, b) => placeOf(a) - placeOf(b) || 0);
  const [header, ...rows] = structureTable(finalists, chosenBy(opening, measured));
  const failures = finalists.flatMap(({ name, error }) => (error ? [`${name} failed: ${describeError(error)}`] : []));
  return [
    out.bold(header!),
    ...rows,
    ...finalTaskLines(finalists),
    '',
    ...failures,
    ...(failures.length > 0 ? [''] : []),
  ];
}

type Finalists = readonly FinalistEvent[];

function structureTable(entries: Finalists, chosen: ChosenBy<FinalistEvent> | undefined): readonly string[] {
  const tested = entries.some(({ test }) => test !== undefined);
  const name = Math.max('found'.length, ...entries.map((entry) => entry.name.length));
  const cells = ([what, own, fitness, change, test, testChange, removed, parameters]: readonly string[]): string =>
    [
      what!.padEnd(name),
      ...(chosen ? [own!.padStart(chosen.name.length)] : []),
      fitness!.padStart(10),
      change!.padStart(9),
      ...(tested ? [test!.padStart(10), testChange!.padStart(9)] : []),
      removed!.padStart(8),
      parameters!.padStart(10),
    ]
      .join('  ')
      .trimEnd();
  const figures = (result: FinalistEvent['result']): readonly string[] =>
    result
      ? [formatPerplexity(result.perplexity), formatChange(result.perplexity, result.densePerplexity)]
      : ['failed', ''];
  const dense = entries.find(({ result }) => result !== undefined)?.result;
  const denseTest = entries.find(({ test }) => test !== undefined)?.test;
  return [
    cells([
      'found',
      chosen?.name ?? '',
      chosen ? 'perplexity' : 'fitness',
      'change',
      'test text',
      'change',
      'removed',
      'parameters',
    ]),
    ...entries.map((entry) =>
      cells([
        entry.name,
        chosen?.of(entry) ?? '',
        ...figures(entry.result),
        ...figures(entry.test),
        entry.result === undefined ? '' : formatShare(entry.result.actualSparsity),
        entry.result === undefined
          ? ''
          : formatCount(entry.result.structure?.parameters.pruned ?? entry.result.provenance.parameters),
      ]),
    ),
    cells([
      'dense',
      chosen?.dense ?? '',
      dense === undefined ? '–' : formatPerplexity(dense.densePerplexity),
      '',
      denseTest === undefined ? '–' : formatPerplexity(denseTest.densePerplexity),
      ...['', '0 %'],
      dense === undefined ? '' : formatCount(dense.provenance.parameters),
    ]),
  ];
}

export function structureOpenedLine(opening: ComponentsOpening): string {
  const { architecture, parameters, device } = opening;
  return `${denseText(opening)} · ${architecture}, ${formatCount(parameters)} parameters in ${opening.components.length} blocks · ${device}`;
}

/** A finalist or baseline as the last object of `--json` has it. */
export interface FoundStructure extends Partial<Configuration>, OwnFitness {
  readonly name: string;
  /** Of a configuration of rates. */
  readonly id?: number;
  /** On the fitness text. */
  readonly perplexity: number | null;
  /** On the text that the search never saw; null where there is none. */
  readonly testPerplexity: number | null;
  /** Share of the blocks' weights that went, and parameters that are left; null where it failed. */
  readonly removed: number | null;
  readonly parameters: number | null;
  /** What it was asked, where the search asks tasks. */
  readonly tasks?: readonly object[];
  readonly error?: FinalistEvent['error'];
}

/** @param found of a search for rates @param measured what the search has chosen it by */
export function foundStructure(
  { id, name, result, test, error }: FinalistEvent,
  found?: Configuration,
  measured?: AnyFitness,
): FoundStructure {
  return {
    name,
    ...(id !== undefined && { id }),
    ...(found && configurationOf(found)),
    perplexity: result?.perplexity ?? null,
    ...ownFitness(measured),
    testPerplexity: test?.perplexity ?? null,
    removed: result?.actualSparsity ?? null,
    parameters: result === undefined ? null : (result.structure?.parameters.pruned ?? result.provenance.parameters),
    ...finalTasks({ result, test }),
    ...(error && { error }),
  };
}
