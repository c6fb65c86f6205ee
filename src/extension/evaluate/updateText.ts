import { recoveryText } from '../../experiment/recovery.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { UpdateReport } from '../../experiment/updateSchema.ts';
import { UPDATES, updateText } from '../../experiment/updates.ts';
import { removedText } from './structureText.ts';

/** What became of the weights that stay, as a person reads it. */

/** `50 % then admm, recovered by lora`: what tells results of one metric apart. */
export function prunedText(result: EvaluationResult): string {
  return `${removedText(result)}${thenText(result)}`;
}

/**
 * ` then admm, recovered by lora`, where an update follows a mask, and where it was trained afterwards; empty where nothing follows: SparseGPT's own
 * mask comes with its update.
 */
export function thenText({
  expression,
  update,
  recovery,
}: Pick<EvaluationResult, 'expression' | 'update' | 'recovery'>): string {
  const then = update === undefined ? '' : ` then ${updateText(update.update)}`;
  const recovered = recovery === undefined ? '' : `, recovered by ${recoveryText(recovery.recovery)}`;
  return `${expression.includes(then) ? then : ''}${recovered}`;
}

/** `ADMM · iterations 20, damping 0.1`; of whole components also how much it reached. */
export function updateInFull({ update: { method, ...settings }, layers }: UpdateReport): string {
  const said = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  const refitted =
    layers === undefined ? '' : ` · ${layers} output ${layers === 1 ? 'projection' : 'projections'} refitted`;
  return `${UPDATES[method].title} · ${said.join(', ')}${refitted}`;
}

/** The metric that a result's or an evaluation's name begins with: `scaled` of `scaled(0.5)`, `wanda` of `wanda then admm`. */
export function metricName(label: string): string {
  return label.replace(/( then |\().*$/s, '').trim();
}
