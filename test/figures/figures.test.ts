import { describe, expect, it } from 'vitest';
import { figureSchema } from '../../src/figures/figureSchema.ts';
import type { Figure } from '../../src/figures/figureSchema.ts';
import { layOutFigure } from '../../src/figures/layOutFigure.ts';
import { ASCENT, DESCENT, textWidth } from '../../src/figures/lettering.ts';
import { figurePdf } from '../../src/figures/pdf.ts';
import type { PrintStyle } from '../../src/figures/printStyle.ts';
import type { Box, Mark, Scene, TextMark } from '../../src/figures/scene.ts';
import { figureSvg } from '../../src/figures/svg.ts';
import { failureOf } from '../support/expectCoded.ts';
import { SAMPLES } from './samples.ts';

const STYLES: Readonly<Record<string, PrintStyle>> = {
  'in a column': { width: 84, fontSize: 8, serif: false, colours: 'print' },
  'across a page, serif, grey': { width: 174, fontSize: 9, serif: true, colours: 'grey' },
  'small, of a given height': { width: 70, height: 60, fontSize: 7, serif: false, colours: 'grey' },
};

describe.each(Object.entries(STYLES))('%s', (_, style) => {
  describe.each(Object.entries(SAMPLES))('%s', (__, figure) => {
    const scene = layOutFigure(figure, style);

    it('is as wide as the style says, but for trees, which may be narrower', () => {
      const width = (style.width / 25.4) * 72;
      if (figure.kind === 'tree') expect(scene.width).toBeLessThanOrEqual(width + 1);
      else expect(scene.width).toBeCloseTo(width, 6);
    });

    it('stands within its edges', () => {
      const page = { x: 0, y: 0, width: scene.width, height: scene.height };
      const boxes = scene.marks.flatMap((mark) => boxesOf(mark, style));
      expect(boxes.reduce((most, box) => Math.max(most, outside(box, page)), 0)).toBeLessThan(1);
    });

    it('writes no text over another', () => {
      const texts = scene.marks.filter((mark) => mark.kind === 'text');
      expect(overlapping(texts, style)).toEqual([]);
    });

    it('is well-formed SVG, and the same every time', () => {
      const svg = figureSvg(figure, style);
      expect(unclosed(svg)).toEqual([]);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(figureSvg(structuredClone(figure), style)).toBe(svg);
    });

    it('is a PDF whose parts are where it says, and the same every time', () => {
      const pdf = figurePdf(figure, style);
      checkPdf(pdf, scene);
      expect(Buffer.from(figurePdf(structuredClone(figure), style)).equals(pdf)).toBe(true);
    });
  });
});

describe('what a figure may hold', () => {
  it.each(Object.entries(SAMPLES))('%s', (_, figure) => {
    expect(figureSchema.parse(figure)).toEqual(figure);
  });

  it.each([
    [
      'a value that is not finite',
      { ...SAMPLES['negative'], series: [{ name: '', mark: 'line', points: [{ x: 0, y: Infinity }] }] },
    ],
    ['a kind that there is not', { ...SAMPLES['negative'], kind: 'pie' }],
    ['a name that is no text', { ...SAMPLES['tree'], title: 3 }],
    ['a field that there is not', { ...SAMPLES['tree'], script: '' }],
  ])('refuses %s', (_, figure) => {
    expect(figureSchema.safeParse(figure).success).toBe(false);
  });
});

describe('names that come from files', () => {
  const named = (name: string): Figure => ({
    ...(SAMPLES['generations'] as Extract<Figure, { kind: 'chart' }>),
    title: name,
    series: [
      {
        name,
        mark: 'line',
        points: [
          { x: 1, y: 1 },
          { x: 2, y: 2 },
        ],
      },
    ],
  });
  const style = STYLES['across a page, serif, grey']!;

  it.each(['<script>alert(1)</script>', 'a & b "c" \'d\'', ']]>', '\u0000\u0008', '\ud800'])(
    '%j is text in SVG',
    (name) => {
      const svg = figureSvg(named(name), style);
      expect(unclosed(svg)).toEqual([]);
      expect(svg).not.toContain('<script');
    },
  );

  it('parentheses and backslashes are text in PDF', () => {
    const pdf = Buffer.from(figurePdf(named('f(a\\b) ≤ −σ'), style)).toString('latin1');
    expect(pdf).toContain('(f\\(a\\\\b\\) ) Tj');
    expect(pdf).toContain('(\xa3) Tj');
  });

  it('what the fonts of PDF lack is told', async () => {
    const { data } = await failureOf(() => figurePdf(named('実験'), style));
    expect(data).toMatchObject({ code: 'figure/characters', actual: '“実” in “実験”' });
  });
});

/** What a mark covers, clipped. */
function boxesOf(mark: Mark, style: PrintStyle): Box[] {
  if (mark.kind === 'text') return [textBox(mark, style)];
  if (mark.kind === 'rect') return [mark.clip ?? mark];
  if (mark.kind === 'path' && mark.clip) return [mark.clip];
  const around = pathBox(mark.path);
  if (mark.kind === 'path') return [around];
  return mark.at.map(({ x, y }) => ({ ...around, x: x + around.x, y: y + around.y }));
}

function pathBox(path: Extract<Mark, { kind: 'path' }>['path']): Box {
  const places = path.flatMap((step) => (step.to === 'close' ? [] : [step]));
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

function textBox({ x, y, text, size, anchor, isTurned }: TextMark, { serif }: PrintStyle): Box {
  const width = textWidth(text, size, serif);
  const before = { start: 0, middle: width / 2, end: width }[anchor];
  const [above, height] = [size * ASCENT, size * (ASCENT + DESCENT)];
  return isTurned
    ? { x: x - above, y: y - (width - before), width: height, height: width }
    : { x: x - before, y: y - above, width, height };
}

/** Points by which a box leaves the page. */
function outside(box: Box, page: Box): number {
  return Math.max(-box.x, -box.y, box.x + box.width - page.width, box.y + box.height - page.height);
}

function overlapping(texts: readonly TextMark[], style: PrintStyle): string[] {
  const boxes = texts.map((mark) => ({ text: mark.text, box: textBox(mark, style) }));
  return boxes.flatMap((a, i) =>
    boxes.slice(i + 1).flatMap((b) => (meet(a.box, b.box) ? [`${a.text} / ${b.text}`] : [])),
  );
}

/** Descenders may reach into the room above the letters of the next line. */
function meet(a: Box, b: Box): boolean {
  const [x, y] = [
    Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x),
    Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y),
  ];
  return x > 0.1 && y > 0.5;
}

/** Elements of an XML text that are not closed in their order, and what is no XML. */
function unclosed(xml: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const body = xml.replace(/^<\?xml[^>]*\?>/, '');
  for (const [all, text, end, name, rest] of body.matchAll(/([^<]*)<(\/?)([\w]+)([^<>]*)>|[^<]*$/g)) {
    if (name === undefined) {
      if (all.trim() !== '') wrong.push(all);
      continue;
    }
    if (/&(?!amp;|lt;|gt;)|[^\t\n\r -\ufffd]/.test(text!) || !text!.isWellFormed()) wrong.push(text!);
    if (!/^( [\w:-]+="[^"<&]*")*\/?$/.test(rest!)) wrong.push(all);
    if (end === '/') {
      if (open.pop() !== name) wrong.push(all);
    } else if (!rest!.endsWith('/')) open.push(name);
  }
  return [...wrong, ...open];
}

function checkPdf(bytes: Uint8Array, { width, height }: Scene): void {
  const pdf = Buffer.from(bytes).toString('latin1');
  expect(pdf).toMatch(/^%PDF-1\.4\n[^]*%%EOF\n$/);
  const table = Number(/startxref\n(\d+)\n%%EOF/.exec(pdf)![1]);
  const [head, size, rest] = /^xref\n0 (\d+)\n0000000000 65535 f \n((?:\d{10} 00000 n \n)*)trailer/.exec(
    pdf.slice(table),
  )!;
  expect(head).toBeDefined();
  const places = rest!.split('\n').slice(0, -1);
  expect(places).toHaveLength(Number(size) - 1);
  for (const [i, place] of places.entries())
    expect(pdf.slice(Number.parseInt(place, 10))).toMatch(new RegExp(`^${i + 1} 0 obj\n`));
  const [, length, content] = /<< \/Length (\d+) >>\nstream\n([^]*)\nendstream/.exec(pdf)!;
  expect(content).toHaveLength(Number(length));
  expect(content).not.toMatch(/NaN|Infinity|undefined|e[-+]?\d/);
  const count = (operator: RegExp): number => content!.match(operator)?.length ?? 0;
  expect(count(/^q$/gm)).toBe(count(/^Q$/gm));
  expect(count(/^BT$/gm)).toBe(count(/^ET$/gm));
  const [, w, h] = /\/MediaBox \[0 0 (\S+) (\S+)\]/.exec(pdf)!;
  expect([Number(w), Number(h)]).toEqual([expect.closeTo(width, 1), expect.closeTo(height, 1)]);
}
