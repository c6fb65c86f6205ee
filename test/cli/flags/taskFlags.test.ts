import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { tellIdleFlags } from '../../../src/cli/flags/idleFlags.ts';
import { addSelectionFlags, selectedPlans } from '../../../src/cli/flags/selection.ts';
import type { SelectionOptions } from '../../../src/cli/flags/selection.ts';
import { addTaskFlags } from '../../../src/cli/flags/taskFlags.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import type { PlannedTask } from '../../../src/experiment/taskSchema.ts';
import { failureOf } from '../../support/expectCoded.ts';

const FOLDER = mkdtempSync(path.join(tmpdir(), 'espalier-task-flags-'));
afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});
const inFolder = (...names: string[]) => path.join(FOLDER, ...names);
mkdirSync(inFolder('sub'));
writeFileSync(
  inFolder('sub', 'a.prune'),
  'metric wanda = W\ntask mine = "m.jsonl" (context: "{q}", choices: c, gold: g, examples: "e.jsonl")\n' +
    'experiment e { model: "m" prune: wanda at: 50% tasks: rte (shots: 3) harness: 0.3 }\n',
);

/** What a command line asks for, and what it is told of flags that change nothing. */
async function asked(...words: string[]) {
  const said: string[] = [];
  const terminal = createTerminal({ write: () => true }, { write: (text: string) => said.push(text) }, {});
  const command = addTaskFlags(addSelectionFlags(new Command('evaluate').argument('[file]').exitOverride()));
  command.configureOutput({ writeErr: () => undefined }).option('--json');
  command.parse(['--model', 'm', ...words], { from: 'user' });
  const options = command.opts<SelectionOptions>();
  const plans = await selectedPlans(command.args[0], options, { folder: FOLDER, terminal });
  tellIdleFlags(plans, options, { terminal });
  return { plans, said: said.join('') };
}

describe('--tasks', () => {
  it.each<[string[], Partial<PlannedTask>[]]>([
    [['piqa'], [{ task: 'piqa', shots: 0, limit: 0 }]],
    [['piqa,arc_easy=a.jsonl'], [{ task: 'piqa' }, { task: 'arc_easy', documents: inFolder('a.jsonl') }]],
    [
      ['piqa', 'rte = sub/r (1).tsv '],
      [{ task: 'piqa' }, { task: 'rte', documents: inFolder('sub', 'r (1).tsv') }],
    ],
    [
      ['piqa (shots: 5, examples: "a,b.jsonl"), boolq=/abs/b.jsonl'],
      [
        { task: 'piqa', shots: 5, examples: inFolder('a,b.jsonl') },
        { task: 'boolq', documents: path.resolve('/abs/b.jsonl') },
      ],
    ],
    [['rte=hf:nyu-mll/glue/rte:validation'], [{ task: 'rte', documents: 'hf:nyu-mll/glue/rte:validation' }]],
  ])('%j', async (typed, list) => {
    const { plans, said } = await asked(...typed.flatMap((one) => ['--tasks', one]));
    expect(plans).toHaveLength(1);
    expect(plans[0]!.tasks!.list).toMatchObject(list);
    expect(plans[0]).not.toHaveProperty('text');
    expect(said).toBe('');
  });

  it('takes a folder for all of a group', async () => {
    const { plans } = await asked('--tasks', 'seven=sub');
    expect(plans[0]!.tasks!.list.map(({ documents }) => documents)).toEqual(Array(7).fill(inFolder('sub')));
  });

  it('goes with --text, --shots, --limit, --harness and --bos', async () => {
    const flags = ['--shots', '2', '--limit', '100', '--harness', '0.3', '--bos', 'always', '--text', 't'];
    const { plans, said } = await asked('--tasks', 'piqa (shots: 5),gsm8k', ...flags);
    expect(plans[0]).toMatchObject({ text: inFolder('t'), tasks: { harness: '0.3', beginning: 'always' } });
    expect(plans[0]!.tasks!.list).toMatchObject(Array(2).fill({ shots: 2, limit: 100 }));
    expect(said).toBe('');
  });

  it('goes before what the file says, and its tasks are there by name, with their own paths', async () => {
    const own = await asked('sub/a.prune', '--shots', '1');
    expect(own.plans[0]!.tasks).toMatchObject({ harness: '0.3', list: [{ task: 'rte', shots: 1 }] });
    const { plans } = await asked('sub/a.prune', '--tasks', 'mine,piqa=p.jsonl', '--harness', '0.4');
    expect(plans[0]!.tasks).toMatchObject({
      harness: '0.4',
      list: [
        { task: 'mine', documents: inFolder('sub', 'm.jsonl'), examples: inFolder('sub', 'e.jsonl') },
        { task: 'piqa', documents: inFolder('p.jsonl') },
      ],
    });
  });

  it.each<[string[], string, string]>([
    [['piqua'], 'piqua', 'Did you mean piqa?'],
    [['piqa='], 'piqa= without one', 'Name it'],
    [['piqa=a"b'], 'a quote', 'Name it'],
    [['piqa (shots: -1)'], '-1', ''],
    [['mine'], 'unknown task', ''],
    [['seven (examples: "x")'], 'name a folder', ''],
    [[''], 'an empty name', 'Name a task'],
    [['piqa,'], 'an empty name in "piqa,"', 'Name a task'],
    [['piqa,,rte'], 'an empty name', 'Name a task'],
    [['=p.jsonl'], 'an empty name', 'Name a task'],
    [['piqa=a,b.jsonl'], 'unknown task', 'documents: "a,b.jsonl"'],
  ])('says what is wrong with %j', async (typed, actual, remedy) => {
    const error = await failureOf(() => asked(...typed.flatMap((one) => ['--tasks', one])));
    expect(error.code).toBe('cli/usage');
    expect(error.data.actual).toContain(actual);
    expect(error.data.remedy).toContain(remedy);
  });

  it.each([
    ['--shots', '1001'],
    ['--shots', '2.5'],
    ['--limit', '-1'],
    ['--limit', 'all'],
    ['--harness', '0.5'],
    ['--bos', 'maybe'],
  ])('%s %s is refused', async (flag, value) => {
    await expect(asked('--tasks', 'piqa', flag, value)).rejects.toThrow(flag);
  });

  it('tells what changes nothing, and asks for a text or tasks where there are none', async () => {
    expect((await asked('--text', 't', '--shots', '2')).said).toContain('--shots has no effect');
    expect((await asked('--tasks', 'piqa', '--details')).said).toContain('--details has no effect without --json');
    expect((await asked('--tasks', 'piqa', '--details', '--json')).said).toBe('');
    const error = await failureOf(() => asked());
    expect(error.data.expected).toContain('--tasks');
  });
});
