import { OPERANDS } from '../../../metric/operands.ts';
import { OPERATIONS } from '../../../metric/operations.ts';
import type { Operation } from '../../../metric/operations.ts';
import { printInfix } from '../../../metric/print.ts';
import { inputName } from '../../../experiment/hubName.ts';
import { updateText } from '../../../experiment/updates.ts';
import { printSparsity } from '../../../experiment/sparsity.ts';
import type { Expression } from '../../../metric/expression.ts';
import type { SearchOpening } from '../../lifecycle/events.ts';
import { denseFitness } from '../../lifecycle/objective.ts';
import { fillTemplate } from '../../llm/fillTemplate.ts';
import type { Rejected } from '../events.ts';
import type { ProposingPlan } from '../plan.ts';

/** A metric as a prompt shows it. */
export interface ShownMetric {
  readonly expression: Expression;
  /** On the fitness text. */
  readonly fitness: number;
}

export interface ProposalRequest {
  /** Formulas. */
  readonly count: number;
  /** The best first. */
  readonly known: readonly ShownMetric[];
  /** Of replies before, the last ones last: so that nobody proposes them again. */
  readonly rejected: readonly Rejected[];
}

/**
 * The prompt of one request. A provider needs no memory of a conversation: what was rejected before stands in it.
 *
 * @throws EspalierError `settings/invalid` for a template with unknown placeholders
 */
export function writeProposalPrompt(plan: ProposingPlan, opening: SearchOpening, request: ProposalRequest): string {
  const { search, settings, sparsity } = plan;
  const compared = sparsity.kind === 'n:m' ? `${sparsity.of} neighbours in a row` : `a ${settings.group}`;
  return fillTemplate('propose', plan.prompts.propose, {
    model: inputName(plan.model),
    architecture: opening.architecture,
    sparsity: printSparsity(sparsity),
    compared,
    fitness: fitnessText(plan),
    dense: denseFitness(opening)?.toPrecision(5) ?? '0',
    numbers: NUMBERS[search.constants],
    operands: plan.operands.map(operandLine).join('\n'),
    operations: plan.operations.map(operationLine).join('\n'),
    size: String(search.size),
    depth: String(search.depth),
    count: String(request.count),
    known: knownText(request.known),
    rejected: rejectedText(request.rejected),
  });
}

/**
 * Fills the template in once, so that what is wrong with it is known before anything is paid for.
 *
 * @throws EspalierError `settings/invalid`
 */
export function checkProposalPrompt(plan: ProposingPlan, opening: SearchOpening): void {
  writeProposalPrompt(plan, opening, { count: 1, known: [], rejected: [] });
}

/** What is measured, and of what. */
function fitnessText({ search, update }: ProposingPlan): string {
  const after = update ? `, after the weights that stay were changed by ${updateText(update)}` : '';
  return `${FITNESS[search.objective]}${after}`;
}

const NUMBERS: Readonly<Record<ProposingPlan['search']['constants'], string>> = {
  none: 'Numbers are none of its operands.',
  exponents: 'Numbers stand in it as exponents alone: X ^ 0.4.',
  all: 'Numbers may stand in it, as exponents or factors: W + 0.3 * X ^ 0.4.',
};

const FITNESS: Readonly<Record<ProposingPlan['search']['objective'], string>> = {
  perplexity: 'the perplexity of the pruned model',
  kl: 'the mean KL divergence of the pruned model’s predictions from those of the dense model',
  tasks:
    'the mean cross-entropy of the choices of multiple-choice questions with the right ones, in nats a question, by the pruned model',
};

function operandLine(name: ProposingPlan['operands'][number]): string {
  const { formula, shape, documentation } = OPERANDS[name];
  return `- ${name} (one for each ${shape === 'row' ? 'input feature' : 'weight'}): ${formula}. ${documentation}`;
}

function operationLine(name: ProposingPlan['operations'][number]): string {
  const { arity, infix, formula, documentation }: Operation = OPERATIONS[name];
  const called = `${name}(${arity === 1 ? 'x' : 'x, y'})`;
  return `- ${infix === undefined ? called : `x ${infix} y, or ${called}`}: ${formula}. ${documentation}`;
}

/** `W * sqrt(X): 106.70`, one a line, the best first; those that have room. */
function knownText(known: readonly ShownMetric[]): string {
  const lines: string[] = [];
  let length = 0;
  for (const { expression, fitness } of known.slice(0, MOST_KNOWN)) {
    const line = `${printInfix(expression)}: ${fitness.toPrecision(5)}`;
    length += line.length + 1;
    if (length > KNOWN_LENGTH && lines.length > 0) break;
    lines.push(line);
  }
  return lines.length === 0 ? 'none yet' : lines.join('\n');
}

/** Metrics that are shown, and characters of them. */
const MOST_KNOWN = 40;
const KNOWN_LENGTH = 12_000;
/** Tokens of so many, roughly. */
export const KNOWN_TOKENS = 6_000;

/** Each once, the last ones. */
function rejectedText(rejected: readonly Rejected[]): string {
  const reasons = new Map(rejected.map(({ text, reason }) => [text, reason]));
  const lines = [...reasons]
    .slice(-MOST_REJECTED)
    .map(([text, reason]) => `- ${oneLine(text)}: ${oneLine(reason).slice(0, LONGEST_REASON)}`);
  return lines.length === 0 ? 'none yet' : lines.join('\n');
}

const MOST_REJECTED = 20;
const LONGEST_REASON = 240;

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
