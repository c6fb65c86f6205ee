import { inputText } from '../../experiment/hubName.ts';
import { rowsText } from '../../experiment/corpusRows.ts';
import type { RunPlan } from '../kinds.ts';
import { FITNESS_WORDS } from '../lifecycle/fitnessText.ts';
import type { Objective } from '../lifecycle/objective.ts';

/** What the numbers of a run are: two runs' can be compared where all of it is the same. */
export interface FitnessKind {
  readonly objective: Objective;
  /** What decides it, in words: `text` → `data/test.txt`. */
  readonly of: Readonly<Record<string, string>>;
  /** The dense model's own; null where it is not known yet, or the fitness is a divergence from it. */
  readonly dense: number | null;
}

/** Dense models whose fitness differs by more than this share are not one model on one text. */
const SAME = 1e-3;

export function fitnessKind(plan: RunPlan, dense: number | undefined): FitnessKind {
  const { model, settings, rows } = plan;
  const { length } = settings;
  if (plan.kind === 'recovery') {
    const text = plan.validate ?? plan.train;
    const held = plan.validate === undefined ? ` (${plan.recovery.held} held out)` : '';
    const how = rowsText(rows?.[plan.validate === undefined ? 'train' : 'validate']);
    return {
      objective: 'perplexity',
      of: {
        what: 'perplexity of held-out text',
        model: inputText(model),
        text: `${inputText(text)}${held}`,
        ...(how !== undefined && { rows: how }),
        length: String(plan.recovery.length),
      },
      dense: dense ?? null,
    };
  }
  const { objective } = plan.search;
  const how = rowsText(rows?.text);
  const ofText = {
    text: inputText(plan.text),
    ...(how !== undefined && { rows: how }),
    blocks: settings.blocks === 0 ? 'all' : String(settings.blocks),
    length: length === 0 ? 'the model’s' : String(length),
  };
  return {
    objective,
    of: {
      what: FITNESS_WORDS[objective].name,
      model: inputText(model),
      ...(objective === 'tasks' ? { tasks: JSON.stringify(plan.tasks ?? []) } : ofText),
    },
    dense: dense ?? null,
  };
}

/** Why numbers of the one say nothing beside numbers of the other, as a noun phrase about the other; undefined where they can be compared. */
export function whyNotComparable(one: FitnessKind, other: FitnessKind): string | undefined {
  const names = [...new Set([...Object.keys(one.of), ...Object.keys(other.of)])];
  const differing = names.filter((name) => one.of[name] !== other.of[name]);
  const [first] = differing;
  if (first !== undefined) {
    const [here, there] = [one.of[first] ?? 'none', other.of[first] ?? 'none'];
    if (first === 'what') return `${there}, not ${here}`;
    return first === 'tasks' ? 'other tasks' : `${first} ${there}, not ${here}`;
  }
  if (one.dense === null || other.dense === null) return undefined;
  const isSame = Math.abs(one.dense / other.dense - 1) <= SAME;
  return isSame
    ? undefined
    : `another dense model or text: ${other.dense.toPrecision(4)}, not ${one.dense.toPrecision(4)}`;
}
