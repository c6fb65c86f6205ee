import { code, column, text } from '../document.ts';
import type { Inline, Line, Table } from '../document.ts';
import { methodKeys } from '../references/cited.ts';
import { readRemovalText } from '../repeat/removalText.ts';
import type { RemovalText } from '../repeat/removalText.ts';
import { STRUCTURE_METHODS } from '../../experiment/structure.ts';
import { updateText } from '../../experiment/updates.ts';
import { recoveryText } from '../../experiment/recovery.ts';
import { OPERANDS } from '../../metric/operands.ts';
import { operandsOf } from '../../metric/measure.ts';
import { LATER_FORMULAS, operationsOf } from './symbols.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { ReportedEvaluation } from '../reported.ts';
import { groupedBy } from '../seeds.ts';
import { citing } from './methods.ts';

/** Everything that was pruned with, by its name in full, as a formula; and what the symbols mean. */
export function methodTable(evaluations: readonly ReportedEvaluation[]): Table | undefined {
  const pruned = evaluations.filter(({ result }) => result.expression !== 'dense');
  const methods = groupedBy(pruned, ({ result }) => JSON.stringify([result.metric, result.expression])).map(
    ([one]) => one!,
  );
  if (methods.length === 0) return undefined;
  const read = methods.map(({ result }) => readRemovalText(result));
  return {
    id: 'methods',
    caption: [text('What was pruned with.')],
    columns: [column('name', 'wrapped'), column('removes the lowest', 'wrapped')],
    rows: methods.map(({ result }, i) => [
      { line: [code(result.metric)] },
      { line: [...scoreLine(read[i], result.expression), ...citing(methodKeys(read[i]))], exact: result.expression },
    ]),
    notes: symbolNotes(read.filter((one) => one !== undefined)),
  };
}

function scoreLine(removed: RemovalText | undefined, expression: string): Line {
  if (removed === undefined) return [code(expression)];
  const { of, rates, group, update, recovery } = removed;
  const after = [
    ...(rates === undefined || rates.kind === 'uniform' ? [] : [`rates: ${ratesWords(rates)}`]),
    ...(group === undefined ? [] : [`compared over the ${group === 'row' ? 'rows' : 'whole layer'}`]),
    ...(update ? [`then ${updateText(update)}`] : []),
    ...(recovery ? [`recovered by ${recoveryText(recovery)}`] : []),
  ];
  return [...whatLine(of), ...after.map((said): Inline => text(`, ${said}`))];
}

function whatLine(of: RemovalText['of']): Line {
  switch (of.kind) {
    case 'metric':
      return [{ kind: 'formula', expression: of.expression }];
    case 'components':
      return [text('mean over rows of '), { kind: 'formula', expression: of.expression }];
    case 'method':
      return [text(STRUCTURE_METHODS[of.method].formula)];
    case 'own-mask':
      return [text(`what ${updateText(of.update)} makes up for best`)];
    case 'mask':
      return [text('a mask that a search has found')];
  }
}

function ratesWords(rates: NonNullable<RemovalText['rates']>): string {
  if (rates.kind === 'owl') return `OWL (M = ${rates.multiple}, λ = ${rates.spread})`;
  if (rates.kind === 'given') return rates.rates.map((rate) => `${Number((100 * rate).toFixed(1))} %`).join(', ');
  return rates.kind;
}

/** What operands are, and operations whose names do not say it. */
function symbolNotes(removals: readonly RemovalText[]): readonly Line[] {
  const formulas = removals.flatMap(({ of }) => ('expression' in of ? [of.expression] : []));
  const operands = [...new Set(formulas.flatMap((one) => operandsOf(one)))].sort();
  const operations = [...new Set(formulas.flatMap(operationsOf))].filter((name) => LATER_FORMULAS.has(name)).sort();
  const said = [
    ...operands.map((name) => `${name}: ${OPERANDS[name].formula}`),
    ...operations.map((name) => `${name}(x): ${OPERATIONS[name].formula}`),
  ];
  return said.length === 0
    ? []
    : [[text(`${said.join('; ')}. In sums over samples n is their number and T that of their tokens.`)]];
}
