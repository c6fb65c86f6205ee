import type { RecoveryState, TrainingPoint } from '../../../src/search/recovery/state.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import { ChartCard } from '../common/chartCard.ts';
import { lastStep, spokenPoints } from '../common/lines.ts';
import type { Line } from '../common/lines.ts';
import { perplexityScale } from '../common/perplexityScale.ts';
import { plural } from '../common/words.ts';

/** Points of the curve that its mean looks back. */
const WINDOW = 10;

/** Loss of the batches that are trained on, and its moving mean, over the steps. */
export class TrainingCard {
  private readonly card = new ChartCard('Loss in training', 'Loss in training by step');
  readonly element = this.card.element;
  private readonly changes = new Changes();

  get picture(): HTMLCanvasElement {
    return this.card.picture;
  }

  render(state: RecoveryState, planned: number, theme: Theme): void {
    const { steps, losses, rate } = state;
    if (!this.changes.any(steps, theme)) return;
    const finite = losses.flatMap(({ step, loss }) => (loss === null ? [] : [{ x: step, y: loss }]));
    const mean = movingMean(finite);
    const values = finite.map(({ y }) => y);
    const readout = readoutOf(losses.at(-1), mean.at(-1)?.y, rate);
    this.card.show(theme, {
      lines: [
        { label: `mean of ${WINDOW}`, points: mean, style: 'smooth' },
        { label: 'batch', points: finite, style: 'raw' },
      ],
      scale: perplexityScale(
        values,
        mean.map(({ y }) => y),
        0.995,
      ),
      ...{ along: 'step', first: 0, last: lastStep(steps, planned, 0.1), readout },
      note: noteOf(state),
      empty: values.length > 0 ? undefined : emptyWords(losses.at(-1)),
      spoken: steps === 0 ? 'No step yet.' : `${plural(steps, 'step')}: ${readout}. ${spokenPoints(mean, format)}`,
      values: { title: 'loss (nats per token)', format },
    });
  }
}

function movingMean(points: Line['points']): Line['points'] {
  return points.map(({ x }, i) => {
    const window = points.slice(Math.max(0, i + 1 - WINDOW), i + 1);
    return { x, y: window.reduce((sum, { y }) => sum + y, 0) / window.length };
  });
}

function readoutOf(last: TrainingPoint | undefined, mean: number | undefined, rate: number | undefined): string {
  if (!last) return '';
  return [
    last.loss === null ? 'not finite' : `loss ${format(last.loss)}`,
    ...(mean === undefined ? [] : [`mean ${format(mean)}`]),
    ...(rate === undefined ? [] : [`learning rate ${rateText(rate)}`]),
  ].join(' · ');
}

function emptyWords(last: TrainingPoint | undefined): string {
  return last ? 'No loss was finite: there is nothing to draw.' : 'The line begins once the first steps are through.';
}

function noteOf({ stepsOfPoint, steps }: RecoveryState): string {
  return steps === 0 || stepsOfPoint === 1 ? '' : `each point is the mean of ${stepsOfPoint} steps`;
}

/** As one writes it: 0.002, 3.1e-5. */
function rateText(rate: number): string {
  return rate >= 0.001 ? String(Number(rate.toPrecision(2))) : rate.toExponential(1).replace('.0e', 'e');
}

function format(loss: number): string {
  return loss.toFixed(3);
}
