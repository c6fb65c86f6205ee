import { needsCalibration, needsGradient } from '../../experiment/planned.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { idleSettings } from '../../experiment/idleSettings.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import type { Options } from './saidFlags.ts';
import { camelCase, kebabCase } from './flagNames.ts';
import { ASKING_FLAGS } from './taskFlags.ts';

/** Tells which flags change nothing about any of the plans. They are evaluated all the same; with `--json` nothing is told. */
export function tellIdleFlags(
  plans: readonly EvaluationPlan[],
  options: Options,
  context: Pick<CommandContext, 'terminal'>,
): void {
  if (options['json'] === true) return;
  tellIdle(
    plans.map(({ evaluations, settings }) => idleSettings(evaluations, settings)),
    kebabCase,
    options,
    context,
  );
  if (options['details'] !== undefined)
    context.terminal.say('warning: --details has no effect without --json: documents are told as objects');
  tellIdleAsking(plans, options, context);
  if (options['calibration'] !== undefined && !plans.some(({ evaluations }) => evaluations.some(needsCalibration)))
    context.terminal.say('warning: --calibration has no effect: nothing needs more than the weights');
  if (options['gradients'] !== undefined && !plans.some(({ evaluations }) => evaluations.some(needsGradient)))
    context.terminal.say('warning: --gradients has no effect: nothing takes gradients');
}

/** Tells which flags would say how tasks are asked, where none are. */
export function tellIdleAsking(
  plans: readonly Pick<EvaluationPlan, 'tasks'>[],
  options: Options,
  { terminal }: Pick<CommandContext, 'terminal'>,
): void {
  for (const flag of plans.some(({ tasks }) => tasks !== undefined) ? [] : ASKING_FLAGS) {
    if (options[flag] === undefined) continue;
    terminal.say(`warning: --${flag} has no effect: nothing is asked without --tasks, or \`tasks\` in the file`);
  }
}

/** Settings that were typed and are idle in all that is evaluated. @param flag what each is called */
export function tellIdle(
  idle: readonly ReadonlyMap<SettingName, string>[],
  flag: (name: string) => string,
  options: Options,
  { terminal }: Pick<CommandContext, 'terminal'>,
): void {
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const why = idle[0]?.get(name);
    if (why === undefined || options[camelCase(flag(name))] === undefined) continue;
    if (idle.every((settings) => settings.has(name))) terminal.say(`warning: --${flag(name)} has no effect: ${why}`);
  }
}
