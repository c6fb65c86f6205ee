import { Command, Option } from 'commander';
import type { Expression } from '../../metric/expression.ts';
import { printInfix, printPrefix } from '../../metric/print.ts';
import { exportNotation, exportPrunerZero } from '../../metric/prunerZero.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { isTree, readMetric } from '../flags/metricText.ts';
import { compileFile, metricsOf } from '../flags/pruneFile.ts';

const FORMS = ['infix', 'prefix', 'json', 'notation'] as const;
type Form = (typeof FORMS)[number];

const PRINT: Readonly<Record<Form, (expression: Expression) => string>> = {
  infix: printInfix,
  prefix: printPrefix,
  json: exportPrunerZero,
  notation: exportNotation,
};

interface TreeOptions {
  readonly metric?: string;
  readonly as?: Form;
  readonly json?: true;
}

export function treeCommand(context: CommandContext): Command {
  const command = new Command('tree')
    .description('a metric in another form: a formula, or a tree as Pruner-Zero stores it (JSON) or prints it')
    .argument(
      '<metric>',
      'a formula, a tree of Pruner-Zero (a .json file, or its text), or a .prune file with --metric',
    )
    .option('--metric <name>', 'of a .prune file: this metric')
    .addOption(
      new Option('--as <form>', 'form to print it in (default: json of a formula, infix of a tree)').choices(FORMS),
    )
    .option(...JSON_FLAG)
    .action(async (given: string, options: TreeOptions) => {
      const expression = await expressionOf(given, options.metric, context);
      const form = options.as ?? (isTree(given) || /\.json\s*$/i.test(given) ? 'infix' : 'json');
      const text = PRINT[form](expression);
      context.terminal.print(
        options.json ? JSON.stringify({ form, metric: text, infix: printInfix(expression) }) : text.split('\n'),
      );
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['a tree that Pruner-Zero has found, as a formula', 'espalier tree best_tree.json'],
    ['a formula as Pruner-Zero reads it', 'espalier tree "W * sqrt(X)" > tree.json'],
    ['a metric of a file', 'espalier tree metrics.prune --metric wanda'],
  ]);
}

async function expressionOf(given: string, name: string | undefined, context: CommandContext): Promise<Expression> {
  const isFile = /\.prune\s*$/i.test(given);
  if (!isFile) {
    if (name !== undefined) throw usageError('a .prune file with --metric', given, 'Leave --metric out.');
    return (await readMetric(given, context.folder)).expression;
  }
  const { document } = await compileFile(given, context);
  const metrics = metricsOf(document);
  const names = metrics.map(({ metric }) => metric).join(', ');
  if (name === undefined) throw usageError('--metric with a .prune file', 'none', `Add --metric with one of ${names}.`);
  const found = metrics.find(({ metric }) => metric === name);
  if (found) return found.expression;
  throw usageError('a metric of the file', JSON.stringify(name), `It has ${names || 'none'}.`);
}
