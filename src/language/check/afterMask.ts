import { DEFAULT_RECOVERY_SETTINGS, isRecoveryMethod, RECOVERY_METHOD_NAMES } from '../../experiment/recovery.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { defaultsOf } from '../../experiment/settingRow.ts';
import type { SaidSettings, SettingTable } from '../../experiment/settingRow.ts';
import { isUpdateMethod, UPDATE_METHODS, UPDATES } from '../../experiment/updates.ts';
import type { Update, UpdateMethod } from '../../experiment/updates.ts';
import { nearestName } from '../../metric/nearest.ts';
import { readArguments } from './argumentList.ts';
import { didYouMean } from './diagnostics.ts';
import type { Property } from './property.ts';
import type { PropertyReader } from './propertyReader.ts';
import { RECOVERY_ARGUMENTS, updateArguments } from './settingProperties.ts';
import { readSetting } from './settingValues.ts';
import type { AppliedSyntax, ExpressionSyntax } from '../syntax/syntax.ts';

/** What comes after the mask: `then admm (iterations: 20)`, `update: admm`, `recover: lora (steps: 300)`. */

/** What an update goes with: metrics, whole components, or whatever a search removes. */
export type Updated = (typeof UPDATES)[UpdateMethod]['of'] | 'any';

/** An update; undefined where it is wrong, which is told. */
export function readUpdate(reader: PropertyReader, applied: AppliedSyntax, of: Updated): Update | undefined {
  const { name, span } = applied.callee;
  const known = UPDATE_METHODS.filter((method) => of === 'any' || UPDATES[method].of === of);
  if (!isUpdateMethod(name)) {
    const { suffix, ...fixes } = didYouMean(reader.at(span), nearestName(name, known));
    const listed = known.map((method) => `\`${method}\``).join(', ');
    reader.report('update/unknown', span, `what follows a mask is one of ${listed}${suffix}`, fixes);
    return undefined;
  }
  reader.site(span, { kind: 'update', name });
  if (!known.includes(name)) {
    const { suffix, ...fixes } = didYouMean(reader.at(span), known.length === 1 ? known[0] : undefined);
    reader.report('update/misplaced', span, `\`${name}\` ${MISPLACED[UPDATES[name].of]}${suffix}`, fixes);
    return undefined;
  }
  const table: SettingTable = UPDATES[name].settings;
  const said = readApplied(reader, applied, updateArguments(name));
  // Each value was checked against its row.
  return { method: name, ...defaultsOf(table), ...said } as Update;
}

const MISPLACED = {
  weights: 'changes single weights under a mask: it follows a metric',
  structures: 'refits what is left of whole heads and channels: it follows `structure(…)`',
} as const;

/** A method with its settings, or its name alone. */
export function appliedOf(syntax: ExpressionSyntax): AppliedSyntax | undefined {
  const { span } = syntax;
  if (syntax.kind === 'name') return { span, callee: { name: syntax.name, span }, arguments: [] };
  if (syntax.kind !== 'call') return undefined;
  const { callee } = syntax;
  return { span, callee: { name: callee.text, span: callee.span }, arguments: syntax.arguments };
}

/** The value of `update`. */
export function readUpdateValue(reader: PropertyReader, syntax: ExpressionSyntax, of: Updated): Update | undefined {
  const applied = appliedOf(syntax);
  if (applied) return readUpdate(reader, applied, of);
  reader.report('property/type', syntax.span, '`update` is a method, such as `admm` or `admm (iterations: 20)`');
  return undefined;
}

/** The value of `recover`. */
export function readRecovery(reader: PropertyReader, syntax: ExpressionSyntax): Recovery | undefined {
  const applied = appliedOf(syntax);
  const method = applied?.callee.name;
  if (!applied || method === undefined || !isRecoveryMethod(method)) {
    const { suffix, ...fixes } = didYouMean(
      reader.at(applied?.callee.span ?? syntax.span),
      method === undefined ? undefined : nearestName(method, RECOVERY_METHOD_NAMES),
    );
    const listed = RECOVERY_METHOD_NAMES.map((name) => `\`${name}\``).join(', ');
    reader.report('property/type', syntax.span, `\`recover\` is one of ${listed}${suffix}`, fixes);
    return undefined;
  }
  reader.site(applied.callee.span, { kind: 'recovery', name: method });
  return { method, ...DEFAULT_RECOVERY_SETTINGS, ...readApplied(reader, applied, RECOVERY_ARGUMENTS) };
}

function readApplied(
  reader: PropertyReader,
  { callee, span, arguments: given }: AppliedSyntax,
  allowed: readonly Property[],
): SaidSettings {
  const said: Record<string, SaidSettings[string]> = {};
  const called = { callee: { text: callee.name, span: callee.span }, span, given };
  readArguments(reader, called, allowed, (property, _, value) => {
    const read = readSetting(reader, property.setting!.row, property.name, value);
    if (read !== undefined) said[property.name] = read;
  });
  return said;
}
