import { Command } from 'commander';
import { VERSION } from '../../base/version.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { driveRun, resumedRun } from './driveRun.ts';
import type { DriveOptions } from './driveRun.ts';
import { tellIdleInSearch } from '../flags/idleFlags.ts';
import { withModelLength } from '../flags/modelLength.ts';
import { compileFile } from '../flags/pruneFile.ts';
import { addSearchInputs } from '../flags/searchInputs.ts';
import { searchOfDocument, searchOfFlags } from '../flags/searchPlans.ts';
import type { SearchFlags } from '../flags/searchPlans.ts';
import { addSearchFlags, searchOverrides } from '../flags/settingFlags.ts';

interface EvolveOptions
  extends Omit<SearchFlags, 'settings' | 'search'>, DriveOptions, Readonly<Record<string, unknown>> {
  readonly search?: string;
}

export function evolveCommand(context: CommandContext): Command {
  const command = new Command('evolve')
    .description(
      'search for metrics that prune a checkpoint well, by genetic programming; every step is kept and can be resumed',
    )
    .argument('[file]', '.prune file with a search; flags override what it says');
  addSearchFlags(addSearchInputs(command))
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: EvolveOptions) => {
      const run = await (options.resume === undefined
        ? begin(file, options, context)
        : resumedRun(options.resume, file, options, context));
      context.finish(await driveRun(run, options, context, 'evolve'));
    });
  return withExamples(command, [
    ['the search of a file', 'espalier evolve metrics.prune'],
    [
      'without a file',
      'espalier evolve --model models/tiny --text train.txt --calibration calib.txt --test test.txt \\\n' +
        '    --sparsity 60% --population 30 --generations 10 --samples 16 --length 256 --blocks 32 --workers 2',
    ],
    ['go on with one that was interrupted', 'espalier evolve --resume 20261122-1015'],
    ['the best metric found', "espalier evolve metrics.prune --json | tail -n 1 | jq -r '.best[0].metric'"],
  ]);
}

async function begin(file: string | undefined, options: EvolveOptions, context: CommandContext): Promise<RunFolder> {
  if (options.recover) throw usageError('--resume with --recover', '--recover alone', 'Say which run to go on with.');
  if (file === undefined && options.search !== undefined) {
    throw usageError('a .prune file with --search', '--search alone', 'Name the file, or leave --search out.');
  }
  const flags: SearchFlags = { ...options, ...searchOverrides(options) };
  const { plan, document } =
    file === undefined
      ? await searchOfFlags(flags, context.folder)
      : await searchOfDocument(await compileFile(file, context), options.search, flags, context);
  tellIdleInSearch(plan, flags.settings, options.json, context);
  const { createRun } = await import('../../runs/runFolder.ts');
  return createRun(await withModelLength(plan, context), {
    root: context.folder,
    ...(document !== undefined && { document }),
    createdAt: new Date(),
    versions: { espalier: VERSION },
  });
}
