import * as z from 'zod';
import type { FromPanel } from './panelMessages.ts';

const id = z.int().min(0);
const plain = z.strictObject({
  kind: z.enum(['ready', 'pause', 'resume', 'stop', 'random', 'cancelCurves', 'cancelSpeed', 'showLog']),
});
const candidate = z.strictObject({ kind: z.enum(['insert', 'evaluate', 'tree']), id });
const result = z.union([
  z.strictObject({ kind: z.enum(['candidate', 'configuration']), id }),
  z.strictObject({ kind: z.literal('mask') }),
]);
const curves = z.strictObject({
  kind: z.literal('curves'),
  over: z.enum(['sparsity', 'samples']),
  metrics: z.array(z.strictObject({ label: z.string(), expression: z.string() })),
});

/** What a page may say: it is a process of its own, and what comes from there is looked at before anything is done. */
export const fromPanelSchema: z.ZodType<FromPanel> = z.union([
  plain,
  candidate,
  curves,
  z.strictObject({ kind: z.literal('exportTable'), format: z.enum(['csv', 'json']) }),
  z.strictObject({ kind: z.literal('exportPicture'), data: z.string() }),
  z.strictObject({ kind: z.literal('exchange'), call: id }),
  z.strictObject({ kind: z.enum(['speed', 'exportModel']), of: result }),
]);
