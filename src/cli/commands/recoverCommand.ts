import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { DEFAULT_ROWS } from '../../experiment/corpusRows.ts';
import { formatBytes } from '../../experiment/format.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { VERSION } from '../../base/version.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { RecoveredForm } from '../../search/recovery/events.ts';
import { recoveryPlanOf } from '../../search/recovery/plan.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { RECOVERED_FORMS } from '../../search/recovery/schema.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { driveRun, resumedRun } from './driveRun.ts';
import type { DrivenRun, DriveOptions } from './driveRun.ts';
import { EXIT } from '../exitCode.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import { located } from '../flags/hubFlags.ts';
import { withModelLength } from '../flags/modelLength.ts';
import { addRunFlags, noneOrOnePlan } from '../flags/onePlan.ts';
import type { OnePlanOptions } from '../flags/onePlan.ts';
import { addQueueFlag, askedQueue } from '../flags/queueFlags.ts';
import { addRecoveryFlags, saidRecovery } from '../flags/recoveryFlags.ts';
import { MetricReader } from '../flags/metricReader.ts';
import { addSelectionFlags } from '../flags/selection.ts';
import { addFinalTaskFlags } from '../flags/taskFlags.ts';
import { RECOVERED_TEXTS, saidRows } from '../flags/textFlags.ts';
import { progressLine } from '../reports/progressBar.ts';

interface RecoverOptions extends OnePlanOptions, DriveOptions {
  readonly adapter?: string;
  readonly test?: string;
  readonly to?: string;
  readonly as?: RecoveredForm;
  readonly json?: true;
}

/** Flags beside those of a driven run that may be said of one that goes on: what is made of its end. */
const AT_THE_END = ['to', 'as'] as const;

export function recoverCommand(context: CommandContext): Command {
  const command = new Command('recover')
    .description(
      'train what was pruned a little, by LoRA or on its norms alone; every portion is kept and can be resumed',
    )
    .argument('[file]', '.prune file; --metric says which metric or experiment of it, flags override what it says')
    .option('--resume <run>', 'go on with a run: its id, or the beginning of it (`espalier runs` lists them)')
    .option(
      '--recover',
      'with --resume: go on from what stands before the damage of a journal; it is kept beside as it was',
    )
    .option('--adapter <folder>', 'PEFT folder that training goes on from')
    .option('--to <folder>', 'write what came of it there: not there yet, or empty')
    .addOption(
      new Option(
        '--as <form>',
        'of --to; merged: a checkpoint with the adapter in its weights; adapter: a PEFT folder (default: merged)',
      ).choices(RECOVERED_FORMS),
    );
  addRecoveryFlags(addFinalTaskFlags(addSelectionFlags(addRunFlags(command), RECOVERED_TEXTS)));
  addQueueFlag(command, 'what was pruned is evaluated by workers of a queue; training stays here')
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: RecoverOptions) => {
      const { to, as = 'merged', resume } = options;
      if (to === undefined && options.as !== undefined)
        throw usageError('--to with --as', '--as alone', 'Add --to with a folder.');
      const target = to === undefined ? undefined : resolve(context.folder, to);
      if (target !== undefined) await checkFree(target);
      const queue = askedQueue(options, context.variables ?? {});
      const driven = await (resume === undefined
        ? begin(file, options, context)
        : resumedRun(resume, file, options, context, { kind: 'recovery', alsoSaid: AT_THE_END }));
      const code = await driveRun({ ...driven, queue }, options, context, 'recover');
      if (code === EXIT.ok && target !== undefined) await save(driven.run, target, as, options, context);
      context.finish(code);
    });
  return withExamples(command, [
    [
      'half of the weights go, and LoRA is trained',
      'espalier recover --expression "W * sqrt(X)" --sparsity 50% --model models/tiny --text wiki.test.raw \\\n' +
        '    --calibration wiki.valid.txt --train wiki.train.txt --length 256 --steps 300 --to models/tiny-recovered',
    ],
    [
      'the norms of a checkpoint alone',
      'espalier recover --model models/pruned --text t.txt --train u.txt --method norms',
    ],
    [
      'from an adapter of PEFT to another',
      'espalier recover metrics.prune --metric wanda --adapter lora-in --to lora-out --as adapter',
    ],
    ['go on with one that was interrupted', 'espalier recover --resume 20261122-1015'],
    ['the losses as they come', 'espalier recover metrics.prune --json | jq -c \'select(.kind == "trained").losses\''],
  ]);
}

async function begin(file: string | undefined, options: RecoverOptions, context: CommandContext): Promise<DrivenRun> {
  if (options.recover) throw usageError('--resume with --recover', '--recover alone', 'Say which run to go on with.');
  const asked: EvaluationPlan = await noneOrOnePlan(file, options, context, true);
  if (asked.train === undefined)
    throw usageError('--train with a text to train on', 'no --train', 'Name a text, a data set or instruction pairs.');
  const recovery = saidRecovery(options, asked.evaluations[0]?.recovery);
  const adapter = options.adapter === undefined ? undefined : resolve(context.folder, options.adapter);
  const test = options.test === undefined ? undefined : locate(context.folder, options.test);
  const planned = recoveryPlanOf(asked, recovery, {
    ...(adapter !== undefined && { adapter }),
    ...(test !== undefined && { test }),
  });
  const plan = await located(
    test === undefined ? planned : await withTestRows(planned, options, context),
    options,
    context,
  );
  const { createRun } = await import('../../runs/runFolder.ts');
  const run = await createRun(await withModelLength(plan, context), {
    root: context.folder,
    ...(file !== undefined && { document: resolve(context.folder, file) }),
    createdAt: new Date(),
    versions: { espalier: VERSION },
  });
  return { run };
}

/** How the rows of the test text become one, which no evaluation says. */
async function withTestRows(
  plan: RecoveryPlan,
  options: RecoverOptions,
  context: CommandContext,
): Promise<RecoveryPlan> {
  const { rows } = await saidRows(options, new MetricReader(undefined, context.folder));
  return rows?.test ? { ...plan, rows: { ...plan.rows, test: { ...DEFAULT_ROWS, ...rows.test } } } : plan;
}

/** Looked at before hours of training, too. */
async function checkFree(folder: string): Promise<void> {
  const { checkFreeFolder } = await import('../../files/freeFolder.ts');
  await checkFreeFolder(folder);
}

/** Writes the state that a finished run has kept. */
async function save(
  run: RunFolder,
  to: string,
  as: RecoveredForm,
  { json }: RecoverOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal, signal } = context;
  const { savingOf } = await import('../../runs/savedRecovery.ts');
  const saving = await savingOf(run, as, to);
  const engine = await context.createEngine();
  try {
    const saved = await engine.saveRecovery(saving, {
      signal,
      onProgress: (progress) => {
        terminal.status(progressLine(progress, terminal.statusWidth));
      },
    });
    terminal.status('');
    terminal.print(
      json
        ? JSON.stringify({ kind: 'saved', ...saved })
        : `saved ${saved.folder} (${saved.as === 'adapter' ? 'PEFT adapter' : 'merged checkpoint'}, ${formatBytes(saved.bytes)})`,
    );
  } finally {
    terminal.status('');
    await engine.dispose();
  }
}
