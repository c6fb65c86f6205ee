import { isOperandName } from '../../metric/operands.ts';
import { isOperationName } from '../../metric/operations.ts';
import { printInfix } from '../../metric/print.ts';
import type { Expression } from '../../metric/expression.ts';
import { isDeclarationKeyword, isName } from '../../language/syntax/words.ts';
import { isClauseName } from '../../language/check/structureWords.ts';
import { isTaskGroup, knownTask } from '../../experiment/taskNames.ts';
import { isStructureMethod } from '../../experiment/structureNames.ts';
import { isUpdateMethod } from '../../experiment/updates.ts';

/** Declares each metric of a file once: by the name that its owner gave it, where that can be one here. */
export class MetricNames {
  /** By what they are, printed. */
  private readonly byFormula = new Map<string, string>();
  private readonly taken = new Set<string>();

  /** @param label what the evaluation is called: `wanda`, `components by wanda (owl)`, `wanda then admm` */
  nameOf(expression: Expression, label: string): string {
    const formula = printInfix(expression);
    const known = this.byFormula.get(formula);
    if (known !== undefined) return known;
    const name = this.free(ownName(label));
    this.byFormula.set(formula, name);
    this.taken.add(name);
    return name;
  }

  declarations(): readonly string[] {
    const lines = [...this.byFormula].map(([formula, name]) => `metric ${name} = ${formula}`);
    return lines.length === 0 ? [] : [...lines, ''];
  }

  private free(name: string): string {
    if (!this.taken.has(name)) return name;
    for (let i = 2; ; i++) if (!this.taken.has(`${name}_${i}`)) return `${name}_${i}`;
  }
}

function ownName(label: string): string {
  const name = /^(?:components by )?(\S+)(?: \(| then |$)/.exec(label)?.[1] ?? '';
  if (!isName(name) || name.length > LONGEST) return 'formula';
  return isTaken(name) ? `${name}_metric` : name;
}

const LONGEST = 60;

/** Names that mean something else in a file. */
function isTaken(name: string): boolean {
  return (
    [
      isOperandName,
      isOperationName,
      isClauseName,
      isStructureMethod,
      isUpdateMethod,
      isDeclarationKeyword,
      isTaskGroup,
    ].some((isOne) => isOne(name)) ||
    knownTask(name) !== undefined ||
    /^cells_\d+$/.test(name)
  );
}
