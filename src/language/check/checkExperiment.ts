import { MAX_EVALUATIONS } from '../../experiment/limits.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { idleSettings } from '../../experiment/idleSettings.ts';
import { needsCalibration, needsGradient } from '../../experiment/planned.ts';
import { DEFAULT_SPARSITY, printSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { argumentSpan, propertyNamed, propertySpan } from './blockPlaces.ts';
import { replaceFix, shift } from './diagnostics.ts';
import { CALIBRATE, GRADIENTS } from './inputProperties.ts';
import type { BlockContent, Declaration, Pruning } from './document.ts';
import { missingInputs, tellMissing } from './missing.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { propertyOfSetting } from './settingProperties.ts';
import type { BlockContext } from './propertyReader.ts';
import { tellIdleAsking } from './tasks.ts';
import { evaluationsAt, needsShare, NOTHING_GAINED, saysHowMuch, takesNoBudget } from './prunings.ts';

/**
 * Tells what only the whole experiment shows, its own properties and those of `defaults` together: what it lacks, in one place, what
 * has no effect, and what does not go together.
 * @param content what the experiment says, on top of the defaults
 * @returns whether it cannot be evaluated
 */
export function checkExperiment(
  text: string,
  experiment: Pick<Declaration, 'name' | 'nameSpan'>,
  content: BlockContent,
  context: BlockContext,
  parsed: ParsedDeclaration,
): boolean {
  const { diagnostics } = context.findings;
  const prunings = content.prune ?? [];
  const sparsities = content.at ?? [];
  const at = propertyNamed(parsed, 'at');
  if ((prunings.length === 0 ? content.at : at) !== undefined && prunings.every(saysHowMuch)) {
    const why = prunings.length === 0 ? 'prunes nothing' : 'prunes at the rates that it gives';
    const without = prunings.length === 0 ? ' without `prune`' : '';
    const message = `\`${experiment.name}\` ${why}: \`at\` has no effect${without}`;
    diagnostics.add('experiment/no-effect', experiment.nameSpan, message);
  }
  tellIdleAsking('experiment/no-effect', parsed, experiment, content, context);
  const calibrates = evaluationsAt(prunings, [DEFAULT_SPARSITY]).some(needsCalibration);
  for (const name of ['train', 'validate'] as const) {
    const said = content.recover ? undefined : propertyNamed(parsed, name);
    if (said === undefined) continue;
    const message = `\`${experiment.name}\` trains nothing: \`${name}\` has no effect without \`recover\``;
    diagnostics.add('experiment/no-effect', shift(said.tree.syntax.key.span, said.base), message);
  }
  const recover = propertyNamed(parsed, 'recover');
  if (recover !== undefined && prunings.length === 0) {
    const message = `\`${experiment.name}\` prunes nothing: \`recover\` has no effect without \`prune\``;
    diagnostics.add('experiment/no-effect', shift(recover.tree.syntax.key.span, recover.base), message);
  }
  const calibrate = propertyNamed(parsed, 'calibrate');
  if (!calibrates && calibrate !== undefined) {
    const { base, tree } = calibrate;
    const message = `\`${experiment.name}\` calibrates nothing: no metric of it needs more than the weights`;
    diagnostics.add('experiment/no-effect', shift(tree.syntax.key.span, base), message);
  }
  const evaluations = evaluationsAt(prunings, sparsities.length > 0 ? sparsities : [DEFAULT_SPARSITY]);
  const gradients = propertyNamed(parsed, 'gradients');
  const takesG = evaluations.some(needsGradient);
  if (!takesG && gradients !== undefined) {
    const { base, tree } = gradients;
    const message = `\`${experiment.name}\` takes no gradients: \`G\` is in no metric of it`;
    diagnostics.add('experiment/no-effect', shift(tree.syntax.key.span, base), message);
  }
  const settings = { ...protocolSettings(content.protocol), ...content.settings };
  for (const [name, why] of idleSettings(evaluations, settings)) {
    // Where nothing calibrates, or takes gradients, that is told of the whole property already.
    const behindText =
      (calibrates ? argumentSpan(parsed, CALIBRATE, name) : undefined) ??
      (takesG ? argumentSpan(parsed, GRADIENTS, name) : undefined);
    const span = propertySpan(parsed, propertyOfSetting(name)) ?? behindText;
    if (span) {
      const message = `\`${propertyOfSetting(name)}\` has no effect on \`${experiment.name}\`: ${why}`;
      diagnostics.add('experiment/no-effect', span, message);
    }
  }
  const whole = prunings.find(needsShare);
  const isMixed = whole !== undefined && sparsities.some(({ kind }) => kind === 'n:m');
  if (isMixed) {
    const span = at ? shift(at.tree.syntax.key.span, at.base) : experiment.nameSpan;
    const message = `\`${whole.label}\` removes a share of each block, and N:M is a pattern of single weights: put it into an experiment of its own`;
    diagnostics.add('structure/sparsity', span, message);
  }
  const isBudgetless = tellBudgetOfWeights(parsed, experiment, prunings, sparsities, context);
  const count = prunings.reduce((sum, pruning) => sum + (saysHowMuch(pruning) ? 1 : sparsities.length), 0);
  if (count > MAX_EVALUATIONS) {
    const message = `these are ${count} evaluations, and an experiment has at most ${MAX_EVALUATIONS}`;
    diagnostics.add('experiment/too-many', experiment.nameSpan, message);
  }
  const missing = missingInputs(content, calibrates, 'experiment');
  if (content.recover && prunings.length > 0 && content.train === undefined) missing.push('train');
  if (!prunings.every(saysHowMuch) && sparsities.length === 0) missing.push('at');
  if (missing.length > 0) tellMissing('experiment/missing', 'experiment', text, experiment, missing, context);
  return isMixed || isBudgetless || count > MAX_EVALUATIONS || missing.length > 0;
}

/** Tells what removes single weights under a budget, and how whole components would go by the same metric. @returns whether there is such */
function tellBudgetOfWeights(
  parsed: ParsedDeclaration,
  { nameSpan }: Pick<Declaration, 'nameSpan'>,
  prunings: readonly Pruning[],
  sparsities: readonly Sparsity[],
  { findings: { diagnostics } }: BlockContext,
): boolean {
  const budget = sparsities.find(({ kind }) => kind === 'budget');
  const pruning = prunings.find(takesNoBudget);
  if (budget === undefined || pruning === undefined) return false;
  const { label } = pruning;
  const prune = propertyNamed(parsed, 'prune');
  const value = prune?.tree.syntax.values.find((syntax) => syntax.kind === 'name' && syntax.name === label);
  const fixes = value && prune ? [replaceFix(shift(value.span, prune.base), `structure(${label})`)] : [];
  const instead = fixes.length > 0 ? `: write \`structure(${label})\`, or a percentage` : ': write a percentage';
  const message = `the weights that \`${label}\` removes ${NOTHING_GAINED}, so that \`${printSparsity(budget)}\` cannot be met${instead}`;
  diagnostics.add('structure/sparsity', propertySpan(parsed, 'at') ?? nameSpan, message, { fixes });
  return true;
}
