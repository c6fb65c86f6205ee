import { printSparsity } from '../../experiment/sparsity.ts';
import { updateText } from '../../experiment/updates.ts';
import type { RateAllocation } from '../../experiment/structureSchema.ts';
import type { Expression } from '../../metric/expression.ts';
import { plainLine } from '../../base/plainText.ts';
import { compile } from '../../language/check/compile.ts';
import { plansFor } from '../../language/plan/plan.ts';
import { scoreText } from '../../experiment/planned.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { groupedBy } from '../seeds.ts';
import { inputLines, Unsayable } from './experimentText.ts';
import type { Places } from './experimentText.ts';
import { MetricNames } from './metricNames.ts';
import { readRemovalText } from './removalText.ts';
import type { RemovalText } from './removalText.ts';

/** A `.prune` file that repeats every number of a report: `espalier evaluate repeat.prune`. */
export interface RepeatFile {
  readonly text: string;
  /** Numbers that it cannot repeat, and why, in sentences. */
  readonly left: readonly string[];
}

interface Asked {
  readonly evaluation: ReportedEvaluation;
  readonly removed: RemovalText | undefined;
  /** Properties that are the same of all in an experiment. */
  readonly lines: readonly string[];
}

/**
 * What it says is read again by the language, and planned: only what comes out as it was asked is said to be repeated.
 */
export function repeatFile(evaluations: readonly ReportedEvaluation[], places: Places): RepeatFile {
  const left: string[] = [];
  const asked = evaluations.flatMap((evaluation): Asked[] => {
    const { result } = evaluation;
    const removed = readRemovalText(result);
    const problem = (why: string): [] => {
      left.push(`${nameOf(evaluation)}: ${why}`);
      return [];
    };
    if (removed === undefined && result.expression !== 'dense')
      return problem('this version cannot read what was removed');
    if (removed?.of.kind === 'mask')
      return problem(
        'a mask that a search has found, which stands in its run: `espalier export --run` writes the model',
      );
    try {
      const pinned = { ...evaluation.inputs.settings, device: result.provenance.device };
      const inputs = { ...evaluation.inputs, settings: pinned };
      const at =
        result.sparsity === undefined || removed?.rates?.kind === 'given'
          ? []
          : [`at: ${printSparsity(result.sparsity)}`];
      const lines = [...inputLines(inputs, evaluation.tasks, removed?.recovery, places), ...at];
      return [{ evaluation, removed, lines }];
    } catch (error) {
      if (error instanceof Unsayable) return problem(error.message);
      throw error;
    }
  });
  const names = new MetricNames();
  const experiments = groupedBy(asked, ({ lines }) => lines.join('\n')).map((group, i) =>
    experimentText(`cells_${i + 1}`, group, names),
  );
  const text = [
    '// Repeats every number of the report beside it: espalier evaluate repeat.prune',
    ...left.map((sentence) => `// Not repeated: ${plainLine(sentence, 400)}`),
    '',
    ...names.declarations(),
    ...experiments,
  ].join('\n');
  return { text: `${text.trimEnd()}\n`, left: [...left, ...notRepeated(text, asked, places)] };
}

function experimentText(name: string, group: readonly Asked[], names: MetricNames): string {
  const [first] = group;
  const pruned = group.flatMap(({ removed, evaluation }) =>
    removed === undefined ? [] : [removalText(removed, evaluation.result.metric, names)],
  );
  const prune = [...new Set(pruned)];
  const lines = [...first!.lines, ...(prune.length === 0 ? [] : [`prune: ${prune.join(', ')}`])];
  return [`experiment ${name} {`, ...lines.map((line) => `  ${line}`), '}', ''].join('\n');
}

function removalText({ of, rates, group, update }: RemovalText, label: string, names: MetricNames): string {
  const followed = update ? ` then ${updateText(update)}` : '';
  const grouped = group === undefined ? '' : ` (group: ${group})`;
  const metric = (expression: Expression): string => names.nameOf(expression, label);
  const by = rates === undefined || rates.kind === 'uniform' ? undefined : ratesText(rates);
  switch (of.kind) {
    case 'metric': {
      const name = `${metric(of.expression)}${grouped}`;
      return `${by === undefined ? name : `weights(${name}, ${by})`}${followed}`;
    }
    case 'own-mask':
      return by === undefined ? updateText(of.update) : `weights(${updateText(of.update)}, ${by})`;
    case 'components':
    case 'method': {
      const score = of.kind === 'method' ? of.method : metric(of.expression);
      return `structure(${score}${by === undefined ? '' : `, ${by}`})${followed}`;
    }
    case 'mask':
      throw new RangeError('a mask is no text');
  }
}

function ratesText(rates: RateAllocation): string {
  switch (rates.kind) {
    case 'uniform':
    case 'global':
      return rates.kind;
    case 'owl':
      return `owl(multiple: ${rates.multiple}, spread: ${rates.spread})`;
    case 'given':
      return `[${rates.rates.join(', ')}]`;
  }
}

/** Numbers that the file would ask otherwise than they were: none but by a defect, which is said where a reader looks. */
function notRepeated(text: string, asked: readonly Asked[], { folder }: Places): readonly string[] {
  const document = compile(text);
  if (document.diagnostics.some(({ severity }) => severity === 'error'))
    return ['The file has mistakes in the language of this version: nothing of it can be repeated.'];
  const planned = new Set(
    asked.length === 0
      ? []
      : plansFor(document, undefined, { folder }).flatMap(({ evaluations, settings }) =>
          [undefined, ...evaluations].map((one) =>
            JSON.stringify([one ? scoreText(one) : 'dense', one && printSparsity(one.sparsity), settings.seed]),
          ),
        ),
  );
  return asked
    .filter(({ evaluation: { result, inputs } }) => {
      const { expression, sparsity } = result;
      const key = [expression, sparsity && printSparsity(sparsity), inputs.settings.seed];
      return !planned.has(JSON.stringify(key));
    })
    .map(({ evaluation }) => `${nameOf(evaluation)}: the file would ask for something else`);
}

function nameOf({ result, from }: ReportedEvaluation): string {
  const at = result.sparsity === undefined ? '' : ` at ${printSparsity(result.sparsity)}`;
  return `${plainLine(result.metric, 80)}${at} (${plainLine(from, 80)})`;
}
