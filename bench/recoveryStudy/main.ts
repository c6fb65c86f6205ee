import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createEngine } from '../../src/engine/engine.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { printPrefix } from '../../src/metric/print.ts';
import { baseline, metricTableOf, type NamedMetric } from './metricTable.ts';
import { recoveryStudyOptions, USAGE } from './options.ts';
import { Results } from './results.ts';
import { type Arm, type FoundMetric, perplexityOf, planOf, search, type StudyEngine } from './searches.ts';
import { structureCells } from './structures.ts';
import {
  foundTable,
  metricTable,
  type ObjectiveVerdict,
  objectiveTable,
  structureTable,
  updateTable,
  type UpdateVerdict,
} from './tables.ts';
import { ADMM } from './updates.ts';

async function main(): Promise<void> {
  const options = recoveryStudyOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(USAGE);
    return;
  }
  mkdirSync(options.out, { recursive: true });
  const engine = createEngine({ cacheFolder: path.join(options.out, 'cache') });
  const study: StudyEngine = { engine, options, results: new Results(path.join(options.out, 'results.jsonl')) };
  const at = printSparsity(options.searchAt);
  const tables: string[] = [];
  const numbers: Record<string, unknown> = { options };
  const tell = (table: string, more: Readonly<Record<string, unknown>>): void => {
    console.log(`${table}\n`);
    tables.push(table);
    Object.assign(numbers, more);
    writeFileSync(path.join(options.out, 'recovery.md'), `${tables.join('\n\n')}\n`);
    writeFileSync(path.join(options.out, 'recovery.json'), `${JSON.stringify(numbers, undefined, 1)}\n`);
  };
  try {
    if (options.parts.includes('update')) {
      const { rows, found } = await updateVerdicts(study);
      tell(`${updateTable(rows, at)}\n\n${foundTable(found)}`, { update: rows, updateFound: found });
    }
    if (options.parts.includes('objective')) {
      const rows = await objectiveVerdicts(study);
      const found = rows.flatMap(({ perplexity, kl }) => [perplexity, kl]);
      tell(`${objectiveTable(rows, at)}\n\n${foundTable(found)}`, { objective: rows });
    }
    if (options.parts.includes('metrics')) {
      const table = await metricTableOf(study, () => evolvedMetrics(study));
      tell(metricTable(table), { metrics: table });
    }
    if (options.parts.includes('structures')) {
      const cells = await structureCells(study);
      tell(structureTable(cells), { structures: cells });
    }
  } finally {
    await engine.dispose();
  }
}

async function updateVerdicts(study: StudyEngine): Promise<{ rows: UpdateVerdict[]; found: FoundMetric[] }> {
  const rows: UpdateVerdict[] = [];
  const found: FoundMetric[] = [];
  for (let seed = 0; seed < study.options.seeds; seed++) {
    const [plain, admm] = [await search(study, 'plain', seed), await search(study, 'admm', seed)];
    found.push(plain, admm);
    const under = (expression: string): Promise<number> =>
      perplexityOf(study, planOf(study, 'admm', seed), expression, ADMM);
    rows.push({
      seed,
      admm: await under(admm.expression),
      plain: await under(plain.expression),
      wanda: await under(baseline('wanda')),
      prunerZero: await under(baseline('pruner-zero')),
    });
  }
  return { rows, found };
}

async function objectiveVerdicts(study: StudyEngine): Promise<ObjectiveVerdict[]> {
  const rows: ObjectiveVerdict[] = [];
  for (let seed = 0; seed < study.options.klSeeds; seed++)
    rows.push({ seed, perplexity: await search(study, 'plain', seed), kl: await search(study, 'kl', seed) });
  return rows;
}

/** What the table of metrics has beside baselines. */
async function evolvedMetrics(study: StudyEngine): Promise<NamedMetric[]> {
  const { evolved } = study.options;
  const plain = evolved === undefined ? (await bestOf(study, 'plain')).expression : printPrefix(evolved);
  const admm = (await bestOf(study, 'admm')).expression;
  return [
    { name: 'evolved', expression: plain },
    { name: 'evolved under ADMM', expression: admm },
  ];
}

/** Over the seeds, by the fitness text: what is judged on the other one is not chosen by it. */
async function bestOf(study: StudyEngine, arm: Arm): Promise<FoundMetric> {
  let best = await search(study, arm, 0);
  for (let seed = 1; seed < study.options.seeds; seed++) {
    const found = await search(study, arm, seed);
    if (found.fitness < best.fitness) best = found;
  }
  return best;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
