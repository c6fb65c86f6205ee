import { fitnessOfLoss, objectiveOf } from '../../lifecycle/objective.ts';
import { throwIfCancelled } from '../../../base/errors.ts';
import type { Expression } from '../../../metric/expression.ts';
import { printInfix } from '../../../metric/print.ts';
import { canonical } from '../../../metric/canonical.ts';
import type { CanonicalForm } from '../../../metric/canonical.ts';
import type { MetricEffects, MetricSearchOptions, Proposer } from '../effects.ts';
import type { Rejected } from '../events.ts';
import type { Knowledge } from '../knowledge.ts';
import type { ProposingPlan } from '../plan.ts';
import type { ProposalAccount } from './account.ts';
import { writeProposalPrompt } from './prompt.ts';
import type { ShownMetric } from './prompt.ts';
import { readProposals } from './readProposals.ts';
import type { ProposedFormula } from './readProposals.ts';

/** What all generations of a search in which a language model proposes have in common. */
export interface ProposalContext {
  readonly plan: ProposingPlan;
  readonly knowledge: Knowledge;
  readonly proposer: Proposer;
  readonly effects: MetricEffects;
  readonly options: MetricSearchOptions;
  readonly account: ProposalAccount;
  /** Baselines with a fitness: they are known, and no candidates. */
  readonly baselines: readonly (ShownMetric & { readonly name: string; readonly key: string })[];
  /** Of all replies so far. */
  readonly rejected: Rejected[];
}

export interface FormulaAnswer {
  readonly formulas: readonly (ProposedFormula & { readonly call: number })[];
  /** Why there are fewer than were wanted; undefined where there are not. */
  readonly shortfall: string | undefined;
}

/** Formulas that are asked for at once: more are not told apart by whoever writes them. */
const MOST_FORMULAS = 50;

/** How many of a generation's candidates are asked for. */
export function wantedOf({ search }: Pick<ProposingPlan, 'search'>, places: number): number {
  return Math.min(MOST_FORMULAS, places, Math.max(1, Math.round(search.proposals * places)));
}

/**
 * Asks the language model for the formulas of one generation, all at once. It is asked again, as often as the settings say, where a reply
 * holds nothing of use; otherwise variation makes what is missing. A request that failed is not followed by another one in the same
 * generation: tries in vain are the provider's part.
 *
 * @param begun candidates of this generation that are not evaluated yet, the metrics that the search starts from
 */
export async function askForFormulas(
  generation: number,
  wanted: number,
  begun: readonly { readonly id: number; readonly expression: Expression; readonly canonical: CanonicalForm }[],
  context: ProposalContext,
): Promise<FormulaAnswer> {
  const { plan, knowledge, account, proposer, effects, options, baselines, rejected } = context;
  const known = shownOf(context);
  const knownAs = (form: CanonicalForm): string | undefined => {
    // Float32 may tell two of these apart: their masks say whether they are the same.
    if (form.saturates) return undefined;
    const baseline = baselines.find(({ key }) => key === form.key);
    if (baseline !== undefined) return `${baseline.name}, a baseline`;
    const same = begun.find((one) => one.canonical.key === form.key);
    const id = same?.id ?? knowledge.firstOf(form);
    const expression = same?.expression ?? (id === undefined ? undefined : knowledge.get(id)?.expression);
    return expression === undefined ? undefined : `candidate ${id}, ${printInfix(expression)}`;
  };
  for (let attempt = 0; ; attempt++) {
    const prompt = writeProposalPrompt(plan, options.opening, { count: wanted, known, rejected });
    const call = account.begin();
    throwIfCancelled(options.signal, 'searching');
    const reply = await proposer.ask({ call, role: 'propose', attempt, wanted, generation, prompt });
    account.replied(reply);
    if (reply.kind === 'failed') {
      const { code, actual } = reply.error;
      return {
        formulas: [],
        shortfall: code === 'llm/cap' ? actual : `the language model could not be asked (${actual})`,
      };
    }
    // It may have been paid for: the same is not asked twice.
    if (reply.kind === 'lost') return { formulas: [], shortfall: 'the reply was lost when the search was interrupted' };
    const read = readProposals(reply.text, { count: wanted, plan, readFormula: proposer.readFormula, knownAs });
    const event = { used: read.formulas.length, rejected: read.rejected, unread: read.unread };
    account.read(event);
    rejected.push(...read.rejected);
    rejected.splice(0, rejected.length - MOST_REMEMBERED);
    await effects.emit({ kind: 'proposed', generation, call, ...event });
    const formulas = read.formulas.map((formula) => ({ ...formula, call }));
    if (formulas.length === wanted) return { formulas, shortfall: undefined };
    if (formulas.length > 0 || attempt === plan.llm.reasks) return { formulas, shortfall: shortfallOf(read) };
  }
}

/** Rejected proposals that are remembered: the prompt shows the last ones. */
const MOST_REMEMBERED = 100;

function shortfallOf({ formulas, rejected }: ReturnType<typeof readProposals>): string {
  if (formulas.length + rejected.length === 0) return 'there was no formula in the reply';
  if (rejected.length === 0) return 'there were fewer formulas than were asked for';
  return formulas.length === 0 ? 'none of the formulas could be used' : 'too few of the formulas could be used';
}

/** What was evaluated in full, and the baselines, the best first. */
function shownOf({ knowledge, baselines, options }: ProposalContext): readonly ShownMetric[] {
  const found = knowledge.leaders.map(({ candidate }) => ({
    expression: candidate.expression,
    fitness: fitnessOfLoss(candidate.loss, objectiveOf(options.opening)),
  }));
  return [...baselines, ...found].sort((a, b) => a.fitness - b.fitness);
}

/** A baseline as proposals are compared with it. */
export function knownBaseline(
  name: string,
  expression: Expression,
  fitness: number,
): ProposalContext['baselines'][number] {
  return { name, expression, fitness, key: canonical(expression).key };
}
