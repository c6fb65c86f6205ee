import { LinearScale, LogarithmicScale } from 'chart.js';
import type { Scale } from 'chart.js';
import { toFont } from 'chart.js/helpers';

/** Axes whose titles begin on whole pixels: between two of them letters are blurred. */
export class CrispLinearScale extends LinearScale {
  static override id = 'crispLinear';

  override drawTitle(): void {
    drawTitle(this);
  }
}

export class CrispLogarithmicScale extends LogarithmicScale {
  static override id = 'crispLogarithmic';

  override drawTitle(): void {
    drawTitle(this);
  }
}

/** In the middle below a horizontal axis, or upwards left of a vertical one. */
function drawTitle(scale: Scale): void {
  const { ctx, options, left, right, top, bottom } = scale;
  const { display, text, color, font } = (options as unknown as { title: Title }).title;
  if (!display) return;
  const { string, lineHeight } = toFont(font);
  const middle = lineHeight / 2;
  ctx.save();
  ctx.font = string;
  ctx.fillStyle = color;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  const half = ctx.measureText(text).width / 2;
  if (scale.isHorizontal()) {
    ctx.translate(Math.round((left + right) / 2 - half), Math.round(bottom - middle));
  } else {
    ctx.translate(Math.round(left + middle), Math.round((top + bottom) / 2 + half));
    ctx.rotate(-Math.PI / 2);
  }
  ctx.fillText(text, 0, 0);
  ctx.restore();
}

interface Title {
  readonly display: boolean;
  readonly text: string;
  readonly color: string;
  readonly font: Parameters<typeof toFont>[0];
}
