import * as z from 'zod';
import { parsePrefix } from '../metric/parsePrefix.ts';
import type { FromPanel, PanelMemory } from './panelMessages.ts';

const id = z.int().min(0);
/** Lines of a picture of curves: more are not told apart. */
const MOST_CURVES = 100;
const labelSchema = z.string().max(1000);
const formulaSchema = z.string().refine(isFormula, 'expected a formula in prefix form');
/** Characters of a picture in base64: a chart of any window is far below. */
const LARGEST_PICTURE = 64 << 20;

const plain = z.strictObject({
  kind: z.enum(['ready', 'pause', 'resume', 'stop', 'random', 'cancelCurves', 'cancelSpeed', 'showLog']),
});
const candidate = z.strictObject({ kind: z.enum(['insert', 'evaluate', 'tree']), id });
const result = z.union([
  z.strictObject({ kind: z.literal('candidate'), id }),
  z.strictObject({ kind: z.literal('mask') }),
]);
const curves = z.strictObject({
  kind: z.literal('curves'),
  over: z.enum(['sparsity', 'samples']),
  metrics: z.array(z.strictObject({ label: labelSchema, expression: formulaSchema })).max(MOST_CURVES),
});

/** What a page may say. */
export const fromPanelSchema: z.ZodType<FromPanel> = z.union([
  plain,
  candidate,
  curves,
  z.strictObject({ kind: z.literal('exportTable'), format: z.enum(['csv', 'json']) }),
  z.strictObject({
    kind: z.literal('exportPicture'),
    // What every PNG begins with: nothing else is written under the name of a picture.
    data: z.string().max(LARGEST_PICTURE).startsWith('iVBORw0KGgo'),
  }),
  z.strictObject({ kind: z.literal('exchange'), call: id }),
  z.strictObject({ kind: z.enum(['speed', 'exportModel']), of: result }),
]);

/** What a page has remembered over a reload of the window; it is written by the page, too. */
export const panelMemorySchema: z.ZodType<PanelMemory> = z.strictObject({
  folder: z.string().min(1).max(4096),
  selected: id.exactOptional(),
  scroll: z.number().exactOptional(),
  axis: z.enum(['close', 'dense', 'all']).exactOptional(),
  column: z.int().min(1).max(10_000).exactOptional(),
});

function isFormula(text: string): boolean {
  try {
    parsePrefix(text);
    return true;
  } catch {
    return false;
  }
}
