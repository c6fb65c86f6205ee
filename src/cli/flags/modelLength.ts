import { defaultLength } from '../../experiment/length.ts';
import { settingsWarnings } from '../../experiment/resultWarnings.ts';
import type { RunPlan } from '../../search/kinds.ts';
import type { CommandContext } from '../commands/commandContext.ts';

/** A run's plan with the length of its model where that was left open, so that its run says what it measures; a warning where it is too long. */
export async function withModelLength<Plan extends RunPlan>(plan: Plan, context: CommandContext): Promise<Plan> {
  const engine = await context.createEngine();
  const { modelLength } = await engine.describe(plan.model).finally(() => engine.dispose());
  const length = plan.settings.length || defaultLength(modelLength, plan.settings.lengthLimit);
  const settings = { ...plan.settings, length };
  for (const warning of settingsWarnings(settings, modelLength)) context.terminal.say(`warning: ${warning}`);
  return { ...plan, settings };
}
