/**
 * How a list stands in a reply: what the words around it make of it.
 *
 * - `final`: it is called the answer
 * - `plain`: nothing is said against it
 * - the others are no answer, whatever they hold
 */
export type Standing = 'final' | 'plain' | 'other' | 'sentence' | 'calculation' | 'withdrawn';

/** Why a list cannot be used because of how it stands; undefined where it can. */
export const OBJECTIONS: Readonly<Record<Standing, string | undefined>> = {
  final: undefined,
  plain: undefined,
  other: 'it is called something else than an answer (an example, a parent, a draft, a range, ...)',
  sentence: 'it stands within a sentence',
  calculation: 'it is part of a calculation',
  withdrawn: 'it was taken back further on',
};

/** Stands for a list in a line. */
export const LIST = '\ue000';

/** What a heading, a key or another label makes of what it is for. */
export function standingOfLabel(label: string): Standing {
  const plain = label
    .slice(-LONGEST_LABEL)
    .replace(/\([^()]*\)/g, ' ')
    .replace(/[\s_"'*#{}[\]>|$]+/g, ' ')
    .toLowerCase();
  if (FINAL.test(plain)) return 'final';
  const isOther = plain.split(/[:=,.]|→/).some((part) => OTHER.test(part) || RANGE.test(part));
  return isOther ? 'other' : 'plain';
}

/** Whether a heading is of thoughts, which have paragraphs. */
export function isHeadingOfThought(line: string): boolean {
  return THINKING.test(line.slice(0, LONGEST_LABEL));
}

/** Whether a line takes back what stood before it. */
export function takesBack(line: string): boolean {
  return TAKES_BACK.test(line.slice(0, LONGEST_LABEL));
}

/**
 * How a list stands in its line.
 *
 * @param before of the line, from the list before it on, which is marked by {@link LIST}
 * @param after of the line, up to the list after it, which is marked by {@link LIST}
 * @param inherited how it stands where the line says nothing: as the line before, or as the heading has it
 * @param section how it stands where the line numbers it only: as the heading has it
 */
export function standingInLine(before: string, after: string, inherited: Standing, section: Standing): Standing {
  const [left, right] = [before.slice(-LONGEST_LABEL), after.slice(0, LONGEST_LABEL)];
  if (CALCULATED_BEFORE.test(left) || CALCULATED_AFTER.test(right)) return 'calculation';
  if (right.endsWith(LIST) && /→|->|=>/.test(right)) return 'other';
  const words = left.replace(LIST, '').replace(BULLET, '').replace(OPENERS_AT_END, '');
  if (isOpenSentence(words, left) || GOES_ON.test(right)) return 'sentence';
  if (AGAINST.test(right.replace(LIST, ''))) return 'other';
  if (!/\p{L}/u.test(words)) return /[\]}→]|->|=>/.test(words) ? 'plain' : inherited;
  const own = standingOfLabel(words);
  return own === 'plain' && NUMBERS_ONLY.test(words) ? section : own;
}

/** Whether numbers on a line of their own go on with the sentence of the line before, or are gone on with after it. */
export function isWithinSentence(previous: string, next: string): boolean {
  const words = previous.trim();
  return (words.split(/\s+/).length > 4 && /[\p{L},]$/u.test(words)) || /^\s{0,9}\p{Ll}[\p{L}']*(?:\s|,|$)/u.test(next);
}

function isOpenSentence(words: string, left: string): boolean {
  const said = words.trimEnd();
  if (!/\p{L}/u.test(said)) return false;
  const count = said.split(/\s+/).length;
  if (/[:=|>→.!?]$/.test(said)) return false;
  // `array(` is a call, and ` (` is not.
  if (said.endsWith('(')) return !/[\w\]]\($/.test(said);
  if (/[-–—]$/.test(said)) return count > 6;
  if (/[\d)]$/.test(said)) return count > 5 || WITHIN.test(said);
  if (/[,;]$/.test(said)) return count > 1 && !/["}\d]\W*,$/.test(left.trimEnd());
  return !(count <= 4 && CALLED.test(said));
}

/** UTF-16 units of a line that are looked at on either side. */
const LONGEST_LABEL = 240;
const BULLET = /^\s*(?:[-*+•>]\s+)*(?:\(?#?(?:\d{1,4}|[A-Za-z])[.):]+\s+)?/;
const OPENERS_AT_END = /[\s["'{$*]*$/;

const FINAL =
  /\bfinal (?:\w+ )?(?:answers?|lists?|config\w*|outputs?|results?|rates|proposals?|solutions?|versions?|sets?|response|values?)\b|^\W*(?:\d+\W*)?(?:the |my )?(?:final|answers?|final answer|outputs?|results?|solutions?|response)\W*$|\bboxed\b|\bmy answer\b|\bthe answer is\b/;
const OTHER =
  /^\W*(?:\d{1,3}\W+)?(?:the |a |an |my |our |your |its |some |two |both |first |second |rough |initial |selected |chosen |best |top |current )*(?:parents?\d*|original|existing|previous|prior|given|tried|tested|known|old|before|baselines?|uniform baseline|population|examples?|e\s?g\b|i\s?e\b|for (?:example|instance|comparison|reference)|compare|such as|drafts?|attempts?|try\b|trial|sketch|guess|unnormali[sz]ed|unscaled|unadjusted|raw|intermediate|working|scores?|importance|sensitivit|significance|perplexit|loss(?:es)?\b|deltas?|δ|differences?|diffs?\b|adjustments?|offsets?|perturbations?|noise|steps?\b|shifts?|corrections?|errors?|gradients?|formats?\b|template|like this|inputs?\b|sources?\b|means?\b(?!-)|averages?|sums?\b|totals?|cumulative|ind(?:ices|ex(?:es)?)\b|ids?\b|shape\b|limits?\b|constraints?|do not|don't|never|avoid|not\b|no\b|reject|discard|invalid|incorrect|wrong|bad\b|worst|instead of|rather than|think|thought|reason|analysis|rationale|explanation|notes?\b|comment|scratch|plan\b|normali[sz]ation factors?|scal(?:e|ing) factors?|multipliers?|remaining|kept|keep|densit|retention|blocks? (?:sizes?|weights?)|versions?\b|thresholds?|quantiles?|percentiles?|learning|temperatures?|times?\b|seconds|probabilit|coefficients?|epochs?|accurac|ppl|weights?\b|ranks?\b|norms?\b|variances?|std|magnitudes?|alphas?\b|lambdas?\b|sizes?\b|unused|deprecated|todo)/;
/** Names, which need no colon behind them. */
const CALLED =
  /(?:^|[\s\W])(?:return|yield|rates?|lists?|config|configurations?|candidate|answer|child|offspring|proposal|solution|option|variant|individual|mutation|mutant|crossover|assistant|boxed|answer is|[A-Z])$/i;
/** What a range is introduced with, wherever in a label. */
const RANGE = /\b(?:range|ranges|interval|bounds?|between|within|box|domain|clip\w*|clamp\w*)\b/;
const THINKING =
  /^\W*(?:\d+\W+)?(?:my |the )?(?:thinking|thoughts?|reasoning|analysis|scratch|working|work|draft|planning|plan|brainstorm\w*|deliberation|internal|chain of thought|rationale)(?: process| pad| steps?| out loud| aloud)?\W*$/i;
const TAKES_BACK =
  /\b(?:wait|hmm+|oops|whoops|scratch that|on second thought|my mistake|my bad|strike that|let me (?:re-?|fix|correct|adjust|try|redo|scale|normali[sz]e|shift|refine)|i(?:'ll| will| need to| must| should) (?:fix|correct|adjust|redo|rescale|re-?normali[sz]e|recompute|recalculate))\b|^\W*(?:correction|corrected|revised|adjusted|fixed|actually|sorry|apologies)\b|\b(?:this|that|these|which) (?:is|are|was|were) (?:wrong|incorrect|not right|invalid|too (?:high|low|large|small))\b/i;
/** A label that only numbers the lists below a heading. */
const NUMBERS_ONLY =
  /^\W*(?:(?:list|config|configuration|candidate|option|rates?|no|nr|number)\b\W*)?\w?\d{0,3}\W*(?:rates?|list)?\W*$/i;
const CALCULATED_BEFORE = /(?:[\w)\]\ue000%]\s{0,9}[*×+/^]|(?:\ue000|\d\.\d+)\s{0,9}-)\s{0,9}[(["']{0,3}$/;
const CALCULATED_AFTER = /^\s{0,9}(?:[*×/^]\s{0,9}[\w(\ue000]|[-+±]\s{0,9}[\d(\ue000.])/;
const GOES_ON =
  /^["'`\])}*$\s]{0,9},?\s{0,9}(?:is|are|was|were|had|gave|gives|got|did|does|do|would|could|should|might|may|can|cannot|but|because|since|which|performed|scored|as|from|than|or|into|to (?:the|a|be)|and (?:\p{L}+))\b/iu;
const AGAINST =
  /\b(?:wrong|invalid|incorrect|too (?:high|low|large|small|aggressive|far|much)|reject\w*|discard\w*|doesn't|does not|don't|isn't|not (?:valid|ok|good|allowed|right)|violat\w+|fails?|exceeds|no good|bad|already tried|tried already|original|parent|ignore|draft|for example|example only|for comparison|baseline)\b|[❌✗✘]/iu;
const WITHIN =
  /\b(?:in|within|of|from|between|and|or|to|with|than|like|use|using|over|by|at|on|for|the|a|an|is|are|be|via|per|range|interval|as|that|see|eq|equation|table|figure|section|ref|lies|∈)\W*\d*\W*$/iu;
