import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';

/** A chart that is saved with others. */
export interface Picture {
  /** What it shows, and what its colours mean. */
  readonly title: string;
  readonly canvas: HTMLCanvasElement;
}

/**
 * Charts below each other, each under its title, on the theme's background, under a line that says what they are of. Those that are
 * not in sight, since there is nothing to show yet, are left out.
 *
 * @returns a PNG in base64
 */
export function exportPicture(title: string, pictures: readonly Picture[], theme: Theme): string {
  const shown = pictures.filter(({ canvas }) => canvas.offsetParent !== null && canvas.width > 0);
  const ratio = devicePixelRatio;
  const margin = 16 * ratio;
  const size = theme.fontSize * ratio;
  const width = Math.max(320 * ratio, ...shown.map(({ canvas }) => canvas.width)) + 2 * margin;
  const height = shown.reduce((sum, { canvas }) => sum + canvas.height + margin + 2 * size, 2 * margin + size);
  const picture = h('canvas', { width, height });
  const context = picture.getContext('2d');
  if (!context) return '';
  context.fillStyle = theme.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = theme.foreground;
  const write = (text: string, y: number, weight: string): void => {
    context.font = `${weight} ${size}px ${theme.font}`;
    context.fillText(text, margin, y, width - 2 * margin);
  };
  write(title, margin + size, 'bold');
  let y = 2 * margin + size;
  for (const each of shown) {
    write(each.title, y + size, 'normal');
    context.drawImage(each.canvas, margin, y + 2 * size);
    y += each.canvas.height + margin + 2 * size;
  }
  return picture.toDataURL('image/png').replace(/^[^,]*,/, '');
}
