import { bestWords, fitnessTitle, fitnessValues } from '../common/fitnessWords.ts';
import { measuredText } from '../../../src/search/lifecycle/fitnessText.ts';
import { fitnessIn, objectiveOf } from '../../../src/search/lifecycle/objective.ts';
import type { RunLine } from '../../../src/view/panelMessages.ts';
import { bestCheckpoint } from '../../../src/search/masks/state.ts';
import type { MaskState } from '../../../src/search/masks/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import type { AxisChoice } from '../common/axisChoice.ts';
import { ChartCard } from '../common/chartCard.ts';
import { across, baselineStyle, closeScaleOf, lastStep, outOfScale, spokenPoints } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import type { FinalistEvent } from '../../../src/search/lifecycle/events.ts';

/** Fitness of the masks that each checkpoint's probabilities make, on the fitness text. */
export class CheckpointsCard {
  readonly element: HTMLElement;
  private readonly card: ChartCard;
  private readonly axis: AxisChoice;
  private readonly changes = new Changes();

  constructor(axis: AxisChoice) {
    this.axis = axis;
    this.card = new ChartCard('Perplexity of the checkpoints', 'Perplexity by step', { axis: axis.element });
    this.element = this.card.element;
  }

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(data: MaskState, view: CheckpointsView, theme: Theme): void {
    const { dense, compared, overlay } = view;
    if (!this.changes.any(data.steps, data.checkpoints.length, compared.length, dense, overlay, theme, this.axis.value))
      return;
    const last = lastStep(data.steps, view.planned, 0.1);
    const lines = linesOf(data, view, last);
    const scale = this.axis.scaleOf(lines, closeScaleOf);
    const readout = readoutOf(data);
    const isEmpty = readout === '';
    const empty =
      data.checkpoints.length === 0
        ? 'The line begins at the first checkpoint.'
        : 'No checkpoint so far leaves a model whose fitness is finite.';
    const checkpoints = data.checkpoints.map((checkpoint) => ({
      x: checkpoint.step,
      y: fitnessIn(checkpoint) ?? null,
    }));
    const title = fitnessTitle(data.opening);
    this.card.show(theme, {
      ...{ title: `${title} of the checkpoints`, label: `${title} by step` },
      ...{ lines, scale, along: 'step', first: 0, last, readout, values: fitnessValues(data.opening) },
      note: isEmpty ? '' : outOfScale(lines, scale),
      empty: isEmpty ? empty : undefined,
      spoken: isEmpty
        ? empty
        : `${title}: ${readout}. ${spokenPoints(checkpoints, fitnessValues(data.opening).format)}`,
    });
  }
}

export interface CheckpointsView {
  readonly dense: number | undefined;
  readonly planned: number;
  /** Baselines that were evaluated at the end. */
  readonly compared: readonly FinalistEvent[];
  readonly overlay: readonly RunLine[];
}

function linesOf(
  { checkpoints, opening }: MaskState,
  { dense, compared, overlay }: CheckpointsView,
  last: number,
): Line[] {
  const objective = objectiveOf(opening);
  const points = checkpoints.flatMap((checkpoint) => {
    const fitness = fitnessIn(checkpoint);
    return fitness === undefined ? [] : [{ x: checkpoint.step, y: fitness }];
  });
  // What was evaluated at the end has a perplexity.
  const baselines = objective !== 'perplexity' ? [] : compared.filter(({ result }) => result !== undefined);
  return [
    ...(dense === undefined ? [] : [{ label: 'dense', points: across(dense, 0, last), style: 'dense' } as const]),
    ...baselines.map(({ name, result }, i): Line => ({
      label: name,
      points: across(result!.perplexity, 0, last),
      style: baselineStyle(i),
    })),
    ...overlay
      .filter((line) => line.objective === objective)
      .map(({ label, points: of }): Line => ({
        label,
        points: of.map(({ generation, fitness }) => ({ x: generation, y: fitness })),
        style: 'overlay',
      })),
    // Each is another mask: none is the best so far.
    { label: 'checkpoint', points, style: 'median' },
  ];
}

function readoutOf({ checkpoints, opening }: MaskState): string {
  const finite = checkpoints.filter((checkpoint) => fitnessIn(checkpoint) !== undefined);
  const [first, last] = [finite[0], finite.at(-1)];
  if (!first || !last) return '';
  const best = bestCheckpoint({ checkpoints: finite }) ?? last;
  const words = bestWords(fitnessIn(best)!, opening);
  if (first === last) return words;
  const now = best === last ? [] : [`now ${measuredText(last)!}`];
  return [words, ...now, `at the beginning ${measuredText(first)!}`].join(' · ');
}
