import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';

/**
 * What a figure shows, as plain data: what it measures, of what, in which units. How it looks in print is decided by {@link PrintStyle} and
 * the layouts of this folder, so that all figures of a paper look alike. Made by views, reports and commands; written by `figureSvg` and `figurePdf`.
 */
export type Figure = Immutable<z.infer<typeof figureSchema>>;
/** Lines, points, bars and bands over two axes. */
export type ChartFigure = Extract<Figure, { kind: 'chart' }>;
/** A matrix of numbers as shades. */
export type HeatFigure = Extract<Figure, { kind: 'heat' }>;
/** Many settings side by side: each line goes through its value on every axis. */
export type ParallelFigure = Extract<Figure, { kind: 'parallel' }>;
/** A syntax tree. */
export type TreeFigure = Extract<Figure, { kind: 'tree' }>;

export type Axis = ChartFigure['x'];
export type Series = ChartFigure['series'][number];
export type SeriesPoint = Series['points'][number];
export type ParallelAxis = ParallelFigure['axes'][number];
/** How values are spelled: as they are, shares as percents, percents with their sign. */
export type ValueFormat = z.infer<typeof formatSchema>;
export type Emphasis = z.infer<typeof emphasisSchema>;

/** Beyond any that can be looked at: what a page sends is bounded. */
const MOST = {
  series: 200,
  points: 20_000,
  rows: 500,
  columns: 5000,
  lines: 20_000,
  axes: 40,
  categories: 100,
  nodes: 5000,
};

const textSchema = z.string().max(2000);

const formatSchema = z.enum(['number', 'share', 'signed-percent']);

/** `main`: what the figure is about; `reference`: what it is measured by, thin; `faint`: what it is smoothed from, or stands behind. */
const emphasisSchema = z.enum(['main', 'normal', 'reference', 'faint']);

const axisSchema = z.strictObject({
  /** What is measured, with its unit: `perplexity`, `loss (nats per token)`. */
  label: textSchema,
  /** `difference`: percents, even around 0 and logarithmic further out. */
  scale: z.enum(['linear', 'log', 'difference']),
  /** Ends of the axis; those of the values, widened to be round, where there is none. A part of a line that lies outside is cut off. */
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  /** Values between which nothing is shown: both ends stay to be seen, the axis is broken there. Of linear axes alone. */
  gap: z.strictObject({ from: z.number(), to: z.number() }).exactOptional(),
  /** Counts have no ticks between whole numbers. */
  whole: z.boolean().exactOptional(),
  format: formatSchema.exactOptional(),
  /** Of a horizontal axis whose values are no numbers: what 0, 1, 2, … stand for, all of them written. */
  categories: z.array(textSchema).max(MOST.categories).exactOptional(),
});

const seriesSchema = z.strictObject({
  name: textSchema,
  /** `step`: a line that keeps its value until the next one; `front`: the same, through marks that stand out. */
  mark: z.enum(['line', 'step', 'front', 'points', 'bars']),
  emphasis: emphasisSchema.exactOptional(),
  /** Marks are not filled: a second property beside the series. */
  hollow: z.boolean().exactOptional(),
  /** In order of x for lines; `low` and `high`: the spread of seeds, drawn as a band behind lines, as whiskers on points and bars. */
  points: z
    .array(
      z.strictObject({
        x: z.number(),
        y: z.number(),
        low: z.number().exactOptional(),
        high: z.number().exactOptional(),
      }),
    )
    .max(MOST.points),
});

const chartSchema = z.strictObject({
  kind: z.literal('chart'),
  /** What it shows: written into the file for who searches for it and for screen readers, never above the picture, where a caption stands. */
  title: textSchema,
  x: axisSchema,
  y: axisSchema,
  series: z.array(seriesSchema).min(1).max(MOST.series),
  /** `direct`: names stand at the ends of the lines; `above`: in rows above; `none`: where one series speaks for itself. */
  legend: z.enum(['direct', 'above', 'none']),
});

const heatSchema = z.strictObject({
  kind: z.literal('heat'),
  title: textSchema,
  /** What rows and columns are: `block`, `generation`. */
  rowLabel: textSchema,
  columnLabel: textSchema,
  rows: z.array(textSchema).min(1).max(MOST.rows),
  columns: z.array(textSchema).min(1).max(MOST.columns),
  /** Row by row; null where there is no value. */
  values: z.array(z.array(z.number().nullable()).max(MOST.columns)).max(MOST.rows),
  /** Ends of the scale of shades, and what they mean: `pruned share of the block`. */
  min: z.number(),
  max: z.number(),
  meaning: textSchema,
  format: formatSchema.exactOptional(),
});

const parallelSchema = z.strictObject({
  kind: z.literal('parallel'),
  title: textSchema,
  axes: z
    .array(
      z.strictObject({
        label: textSchema,
        scale: z.enum(['linear', 'log', 'category']),
        /** Of categories, from the bottom up: a line's value is the number of one. */
        categories: z.array(textSchema).max(100).exactOptional(),
        format: formatSchema.exactOptional(),
      }),
    )
    .min(2)
    .max(MOST.axes),
  /** A value for each axis; null where there is none: the line is interrupted. */
  lines: z
    .array(
      z.strictObject({
        name: textSchema,
        emphasis: emphasisSchema.exactOptional(),
        values: z.array(z.number().nullable()).max(MOST.axes),
      }),
    )
    .max(MOST.lines),
});

const treeSchema = z.strictObject({
  kind: z.literal('tree'),
  title: textSchema,
  direction: z.enum(['right', 'down']),
  /** The root first; `parent` is the number of an earlier node, null of the root alone. Siblings in their order. */
  nodes: z
    .array(z.strictObject({ label: textSchema, note: textSchema.exactOptional(), parent: z.int().min(0).nullable() }))
    .min(1)
    .max(MOST.nodes),
});

export const figureSchema = z.discriminatedUnion('kind', [chartSchema, heatSchema, parallelSchema, treeSchema]);
