import { h } from '../shared/dom.ts';
import type { Theme } from '../shared/theme.ts';

/** Both charts below each other, on the theme's background, with a line that says what they show. In base64, as PNG. */
export function exportPicture(title: string, charts: readonly HTMLCanvasElement[], theme: Theme): string {
  const ratio = devicePixelRatio;
  const margin = 16 * ratio;
  const size = theme.fontSize * ratio;
  const width = Math.max(...charts.map((chart) => chart.width)) + 2 * margin;
  const height = charts.reduce((sum, chart) => sum + chart.height + margin, margin + 2 * size);
  const canvas = h('canvas', { width, height });
  const context = canvas.getContext('2d');
  if (!context) return '';
  context.fillStyle = theme.background;
  context.fillRect(0, 0, width, height);
  context.fillStyle = theme.foreground;
  context.font = `${size}px ${theme.font}`;
  context.fillText(title, margin, margin + size);
  let y = margin + 2 * size;
  for (const chart of charts) {
    context.drawImage(chart, margin, y);
    y += chart.height + margin;
  }
  return canvas.toDataURL('image/png').replace(/^[^,]*,/, '');
}
