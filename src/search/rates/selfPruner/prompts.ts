import { RATE_ROLES } from './roles.ts';
import type { RateRole } from './roles.ts';
import type { SelfPrunerPlan } from './plan.ts';
import { targetName } from '../target.ts';
import { fillTemplate } from '../../llm/fillTemplate.ts';
import { printRate } from '../rates.ts';
import type { RateSpace } from '../rates.ts';
import type { RateSearch } from '../rateSearch.ts';
import { printBudget } from '../../../experiment/budget.ts';
import { objectiveOf } from '../../lifecycle/objective.ts';
import type { Objective } from '../../lifecycle/objective.ts';

/** What stands behind the rates of a configuration. */
const FITNESS: Readonly<Record<Objective, string>> = {
  perplexity: 'perplexity',
  kl: 'KL divergence (in nats a token) from the unpruned model’s predictions',
  tasks: 'cross-entropy (in nats a question) of the choices of multiple-choice questions with the right ones',
};

/** A configuration as a prompt shows it. */
export interface Shown {
  readonly rates: readonly number[];
  readonly fitness: number;
}

export interface PromptRequest {
  readonly role: RateRole;
  /** Lists. */
  readonly count: number;
  /** The best first. */
  readonly population: readonly Shown[];
  /** Why the lists of the reply before could not be used; asks again. */
  readonly reasons?: readonly string[];
}

/**
 * The prompt of one request. To ask again is to ask the same, for as many lists as are missing, with the template `again` below it:
 * a provider needs no memory of a conversation, and the journal has all that was said in one place.
 *
 * @throws EspalierError `settings/invalid` for a template with unknown placeholders
 */
export function writePrompt(
  plan: SelfPrunerPlan,
  { options: { opening }, space }: Pick<RateSearch, 'options' | 'space'>,
  request: PromptRequest,
): string {
  const { role, count, population, reasons } = request;
  const common = {
    model: modelName(plan),
    architecture: opening.architecture,
    blocks: String(opening.components.length),
    sparsity: printRate(space.mean),
    target: targetText(plan),
    count: String(count),
    fitness: FITNESS[objectiveOf(opening)],
  };
  const shown = role === 'initialise' ? {} : { population: populationText(population) };
  const prompt = fillTemplate(role, plan.prompts[role], { ...common, ...shown }) + budgetText(space);
  if (!reasons) return prompt;
  const again = fillTemplate('again', plan.prompts.again, { ...common, ...shown, reason: reasonText(reasons) });
  return `${prompt.trimEnd()}\n\n${again}`;
}

/**
 * Fills in every template once, so that what is wrong with one is known before anything is paid for.
 *
 * @throws EspalierError `settings/invalid`
 */
export function checkPrompts(plan: SelfPrunerPlan, context: Pick<RateSearch, 'options' | 'space'>): void {
  for (const role of RATE_ROLES) writePrompt(plan, context, { role, count: 1, population: [], reasons: [] });
}

/** What holds in the place of the mean, behind any template: replies are moved onto it. */
function budgetText({ budget, mean }: RateSpace): string {
  if (!budget) return '';
  return (
    `\nWhat the pruned model has to come to: ${printBudget(budget.limit.budget)}. Equal rates meet that at a mean of ${printRate(mean)}, other lists at about the same. Each ` +
    'list is moved, all its rates by the same amount, until it is met.\n'
  );
}

/** `[0.30000, 0.29000, …] 12.34`, one a line, the best first; those that have room. */
function populationText(population: readonly Shown[]): string {
  const lines: string[] = [];
  let length = 0;
  for (const { rates, fitness } of population) {
    const line = `[${rates.map(printRate).join(', ')}] ${fitness.toPrecision(5)}`;
    length += line.length + 1;
    if (length > POPULATION_LENGTH && lines.length >= FEWEST) break;
    lines.push(line);
  }
  return lines.join('\n');
}

/** Characters: all of the paper's 30 configurations for up to 80 blocks. */
const POPULATION_LENGTH = 24_000;
/** Tokens of so many, roughly. */
export const POPULATION_TOKENS = 12_000;
/** Two have to be shown, however long, for a crossover to have parents. */
const FEWEST = 2;

/** Each reason once, the most frequent first. */
function reasonText(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_REASONS);
  return sorted.map(([reason, count]) => (count === 1 ? `- ${reason}` : `- ${reason} (${count} times)`)).join('\n');
}

const MOST_REASONS = 8;

/** The checkpoint folder's own name: where it lies is nobody's business. */
function modelName({ model }: SelfPrunerPlan): string {
  return model.split(/[\\/]/).findLast((part) => part !== '') ?? model;
}

function targetText({ target }: SelfPrunerPlan): string {
  const what =
    target.kind === 'structure' ? 'whole attention heads and MLP channels' : 'single weights of the linear layers';
  return `${what}, those with the lowest scores (${targetName(target)}) first`;
}
