import { formatPerplexity, perplexityDigits } from '../../experiment/format.ts';
import { inputName } from '../../experiment/hubName.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { runMethod, runSparsity } from '../../search/runMethod.ts';
import { SEARCH_METHODS } from '../../search/methods.ts';
import { code, column, NONE, text, words } from '../document.ts';
import type { Cell, Line, Table } from '../document.ts';
import { methodKeys, SEARCH_KEYS } from '../references/cited.ts';
import { readRemovalText } from '../repeat/removalText.ts';
import type { RemovalText } from '../repeat/removalText.ts';
import type { ReportedFinalist, ReportedRun } from '../reported.ts';
import { groupedBy, questionOf, runSeed, spreadOf } from '../seeds.ts';
import { marked } from './marks.ts';
import { citing, shortName } from './methods.ts';
import { perplexityCell } from './perplexityTable.ts';

/** What a run came to: its finalists, the best first, and what they are compared with. */
export function finalistTable(
  run: ReportedRun,
  { id, second }: { readonly id: string; readonly second: boolean },
): Table | undefined {
  const { finalists, plan } = run;
  if (finalists.length === 0) return undefined;
  const isTested = finalists.some(({ test }) => test !== undefined);
  const isTrained = plan.kind === 'recovery';
  const fitness = finalists.map((one) => one.fitness?.result.perplexity);
  const test = finalists.map((one) => one.test?.result.perplexity);
  const cellsOf = (values: readonly (number | undefined)[]): readonly Cell[] => {
    const digits = perplexityDigits(values);
    const cells = values.map((value) => (value === undefined ? NONE : perplexityCell(spreadOf([value]), digits)));
    return marked(cells, values, { second });
  };
  const [onFitness, onTest] = [cellsOf(fitness), cellsOf(test)];
  const dense = finalists.map((one) => one.fitness ?? one.test).find((one) => one !== undefined)
    ?.result.densePerplexity;
  const denseTest = finalists.find((one) => one.test)?.test?.result.densePerplexity;
  const denseRow = [
    ...(isTrained ? [] : [NONE]),
    words('dense'),
    { line: [text(formatPerplexity(dense))], exact: String(dense ?? '') },
    ...(isTested ? [{ line: [text(formatPerplexity(denseTest))], exact: String(denseTest ?? '') }] : []),
  ];
  const failed = finalists.filter((one) => one.failed !== undefined);
  return {
    id,
    caption: [
      text('What the run '),
      code(run.title),
      ...runCites(run),
      text(isTrained ? ' came to.' : ' found, and what it is compared with.'),
    ],
    columns: [
      ...(isTrained ? [] : [column('place', 'right')]),
      column(isTrained ? 'state' : 'found', 'wrapped'),
      column(`perplexity on ${inputName(plan.text)}`, 'right'),
      ...(isTested ? [column(`on ${inputName(plan.test ?? '')}`, 'right')] : []),
    ],
    rows: [
      denseRow,
      ...finalists.map((one, i) => [
        ...(isTrained ? [] : [one.place === undefined ? words('baseline') : words(String(one.place))]),
        { line: foundLine(one), exact: one.name },
        onFitness[i]!,
        ...(isTested ? [onTest[i]!] : []),
      ]),
    ],
    headRows: 1,
    notes: [
      ...failed.map((one): Line => [code(shortName(one.name)), text(` could not be evaluated: ${one.failed!}.`)]),
      ...unfinishedNote(run),
    ],
  };
}

function foundLine({ name, fitness, test, place }: ReportedFinalist): Line {
  const result = (fitness ?? test)?.result;
  const removed = result && readRemovalText(result);
  if (removed === undefined || place === undefined) return [code(shortName(name)), ...citing(methodKeys(removed))];
  return whatFound(removed) ?? [code(shortName(name))];
}

function whatFound({ of, rates }: RemovalText): Line | undefined {
  if (rates?.kind === 'given') return [text(`rates ${rates.rates.map((rate) => Math.round(100 * rate)).join(' ')} %`)];
  return of.kind === 'metric' ? [{ kind: 'formula', expression: of.expression }] : undefined;
}

export function runCites({ plan }: ReportedRun): Line {
  return plan.kind === 'recovery' ? [] : citing(SEARCH_KEYS[plan.search.method]);
}

function unfinishedNote({ state, id }: ReportedRun): readonly Line[] {
  return state.status === 'finished' ? [] : [[text(`The run ${id} is not finished (${state.status}).`)]];
}

/** Searches that were asked the same with several seeds: mean and standard deviation of the best of each. */
export function searchTable(runs: readonly ReportedRun[]): Table | undefined {
  const groups = groupedBy(runs, questionOf);
  if (!groups.some((group) => group.length > 1)) return undefined;
  const bestOf = (run: ReportedRun, on: 'fitness' | 'test'): number | undefined => {
    const best = run.plan.kind === 'recovery' ? run.finalists.at(-1) : run.finalists.find(({ place }) => place === 1);
    return best?.[on]?.result.perplexity;
  };
  const spreadCell = (group: readonly ReportedRun[], on: 'fitness' | 'test'): Cell => {
    const values = group.map((run) => bestOf(run, on)).filter((value) => value !== undefined);
    return values.length === 0 ? NONE : perplexityCell(spreadOf(values), perplexityDigits(values));
  };
  return {
    id: 'seeds',
    caption: [text('The best of each search, as finally evaluated: mean and standard deviation over seeds.')],
    columns: [
      column('search'),
      column('method'),
      column('at', 'right'),
      column('seeds', 'wrapped'),
      column('n', 'right'),
      column('fitness text', 'right'),
      column('test text', 'right'),
    ],
    rows: groups.map((group) => {
      const run = group[0]!;
      const finished = group.filter((one) => bestOf(one, 'fitness') !== undefined || bestOf(one, 'test') !== undefined);
      const sparsity = runSparsity(run.plan);
      return [
        { line: [code(shortName(run.plan.name))], exact: run.plan.name },
        { line: [text(runMethod(run.plan).title), ...runCites(run)] },
        words(sparsity === undefined ? '–' : printSparsity(sparsity).replace('%', ' %')),
        words(finished.map(runSeed).join(', ')),
        words(String(finished.length)),
        spreadCell(group, 'fitness'),
        spreadCell(group, 'test'),
      ];
    }),
    notes: [[text('Perplexity, lower is better. Runs that are asked the same but for the seed are one row.')]],
  };
}

/** What every run was asked: its method's settings, in their order. */
export function settingsTable(runs: readonly ReportedRun[]): Table | undefined {
  if (runs.length === 0) return undefined;
  const rows = runs.flatMap((run) => {
    const { plan } = run;
    const method = runMethod(plan);
    const sparsity = runSparsity(plan);
    const inputs: readonly (readonly [string, string | undefined])[] = [
      ['model', inputName(plan.model)],
      ['evaluate', inputName(plan.text)],
      ['calibrate', plan.calibration === undefined ? undefined : inputName(plan.calibration)],
      ['test', plan.test === undefined ? undefined : inputName(plan.test)],
      ['at', sparsity && printSparsity(sparsity)],
    ];
    const said = Object.entries(method.settings).filter(([name]) => name !== 'method' && name !== 'workers');
    const list = [
      ...inputs.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
      ...said.map(([name, value]) => `${name} ${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`),
    ];
    return [
      [
        { line: [code(shortName(run.title))], exact: run.title },
        {
          line: [
            text(plan.kind === 'recovery' ? method.title : SEARCH_METHODS[plan.search.method].title),
            ...runCites(run),
          ],
        },
        { line: [text(list.join(', '))] },
        { line: [code(run.fingerprint.slice(0, 12))], exact: run.fingerprint },
      ],
    ];
  });
  return {
    id: 'settings',
    caption: [text('What the runs were asked.')],
    columns: [column('run'), column('method'), column('settings', 'wrapped'), column('fingerprint')],
    rows,
    notes: [],
  };
}
