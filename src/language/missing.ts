import { statisticsOf } from '../metric/measure.ts';
import type { BlockContext } from './blocks.ts';
import { shift } from './diagnostics.ts';
import type { DiagnosticCode, Fix } from './diagnostics.ts';
import type { BlockContent, Declaration } from './document.ts';
import type { ParsedDeclaration } from './pieces.ts';
import type { PropertyName } from './properties.ts';

/**
 * Tells, in one place, which properties an experiment lacks: its own and those of `defaults` together.
 * @param content what the experiment says, on top of the defaults
 * @returns whether anything is missing
 */
export function reportMissing(
  text: string,
  experiment: Pick<Declaration, 'name' | 'nameSpan'>,
  content: BlockContent,
  context: BlockContext,
  { properties }: ParsedDeclaration,
): boolean {
  const calibrate = properties.find(({ tree }) => tree.syntax?.key.text === 'calibrate');
  const metrics = content.prune ?? [];
  if (metrics.length === 0 && content.at !== undefined) {
    const message = `\`${experiment.name}\` prunes nothing: \`at\` has no effect without \`prune\``;
    context.findings.diagnostics.add('experiment/no-effect', experiment.nameSpan, message);
  }
  const needsCalibration = statisticsOf(...metrics.map(({ expression }) => expression)).length > 0;
  if (!needsCalibration && calibrate !== undefined) {
    const { base, tree } = calibrate;
    const message = `\`${experiment.name}\` calibrates nothing: no metric of it needs more than the weights`;
    context.findings.diagnostics.add('experiment/no-effect', shift(tree.syntax!.key.span, base), message);
  }
  const missing = missingInputs(content, needsCalibration);
  if (metrics.length > 0 && (content.at ?? []).length === 0) missing.push('at');
  if (missing.length === 0) return false;
  tellMissing('experiment/missing', 'experiment', text, experiment, missing, context);
  return true;
}

/** The inputs that a block lacks. */
export function missingInputs(content: BlockContent, needsCalibration: boolean): PropertyName[] {
  const missing: PropertyName[] = [];
  if (content.model === undefined) missing.push('model');
  if (content.evaluate === undefined) missing.push('evaluate');
  if (needsCalibration && content.calibrate === undefined) missing.push('calibrate');
  return missing;
}

/** Says what to write, and offers to write it. */
export function tellMissing(
  code: DiagnosticCode,
  kind: 'experiment' | 'search',
  text: string,
  { name, nameSpan }: Pick<Declaration, 'name' | 'nameSpan'>,
  missing: readonly PropertyName[],
  { names, findings: { diagnostics } }: BlockContext,
): void {
  const listed = missing.map((property) => `\`${property}\``).join(' and ');
  const message = `${kind} \`${name}\` does not say ${listed}: write it here, or into \`defaults\``;
  const brace = text.indexOf('{', nameSpan.end) + 1;
  const lines = missing.map((property) => `\n  ${property}: ${example(property, names)}`).join('');
  const fix: Fix = { title: `Add ${missing.join(', ')}`, edits: [{ start: brace, end: brace, text: lines }] };
  diagnostics.add(code, nameSpan, message, brace > 0 ? { fixes: [fix] } : {});
}

/** A declaration of the right kind; of several corpora the last one is the likelier to be for calibration. */
function example(property: PropertyName, names: BlockContext['names']): string {
  if (property === 'at') return '50%';
  const kind = property === 'model' ? 'model' : 'corpus';
  const declared = [...names.all()].filter(({ symbol }) => symbol.kind === kind).map(({ symbol }) => symbol.name);
  return (property === 'calibrate' ? declared.at(-1) : declared[0]) ?? '"path"';
}
