import { needsCalibration } from '../../experiment/planned.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { idleSettings } from '../../experiment/idleSettings.ts';
import { idleInSearch } from '../../search/idleInSearch.ts';
import type { RunPlan } from '../../search/kinds.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import type { SelectionOptions } from './selection.ts';
import { flagInSearch, kebabCase, settingOverrides } from './settingFlags.ts';
import type { SettingOverrides } from './settingFlags.ts';

/** Tells which flags change nothing about any of the plans. They are evaluated all the same; with `--json` nothing is told. */
export function tellIdleFlags(
  plans: readonly EvaluationPlan[],
  options: SelectionOptions,
  { terminal }: Pick<CommandContext, 'terminal'>,
): void {
  if (options['json'] === true) return;
  const idle = plans.map(({ evaluations, settings }) => idleSettings(evaluations, settings));
  for (const name of Object.keys(settingOverrides(options)) as (keyof ReturnType<typeof settingOverrides>)[]) {
    const [why] = idle.map((settingsOf) => settingsOf.get(name));
    if (why !== undefined && idle.every((settingsOf) => settingsOf.has(name)))
      terminal.say(`warning: --${kebabCase(name)} has no effect: ${why}`);
  }
  if (options.calibration !== undefined && !plans.some(({ evaluations }) => evaluations.some(needsCalibration)))
    terminal.say('warning: --calibration has no effect: nothing needs more than the weights');
}

/** The same of a search: settings of its evaluations that stood on the command line. */
export function tellIdleInSearch(
  plan: RunPlan,
  given: SettingOverrides,
  isJson: boolean | undefined,
  { terminal }: Pick<CommandContext, 'terminal'>,
): void {
  if (isJson) return;
  const idle = idleInSearch(plan);
  for (const name of Object.keys(given) as SettingName[]) {
    const why = idle.get(name);
    if (why !== undefined) terminal.say(`warning: --${flagInSearch(name)} has no effect: ${why}`);
  }
}
