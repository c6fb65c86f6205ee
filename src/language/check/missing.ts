import { protocolOf } from '../../experiment/protocols.ts';
import type { Protocol } from '../../experiment/protocols.ts';
import type { DiagnosticCode, Fix } from './diagnostics.ts';
import type { BlockContent, Declaration } from './document.ts';
import type { PropertyName } from './property.ts';
import type { BlockContext } from './propertyReader.ts';

/**
 * The inputs that a block lacks, and its protocol does not say either.
 *
 * @param kind of a search the text of its fitness is none of a protocol
 */
export function missingInputs(
  content: BlockContent,
  needsCalibration: boolean,
  kind: 'experiment' | 'search',
): PropertyName[] {
  const texts: Protocol['texts'] = content.protocol === undefined ? {} : protocolOf(content.protocol).texts;
  const evaluated = content.evaluate ?? (kind === 'experiment' ? texts.text?.from : undefined);
  const missing: PropertyName[] = [];
  if (content.model === undefined) missing.push('model');
  const isAsked = kind === 'experiment' && content.tasks !== undefined;
  if (evaluated === undefined && !isAsked) missing.push('evaluate');
  if (needsCalibration && (content.calibrate ?? texts.calibration?.from) === undefined) missing.push('calibrate');
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
  if (property === 'tasks') return 'seven';
  const kind = property === 'model' ? 'model' : 'corpus';
  const declared = [...names.all()].filter(({ symbol }) => symbol.kind === kind).map(({ symbol }) => symbol.name);
  return (property === 'calibrate' ? declared.at(-1) : declared[0]) ?? '"path"';
}
