import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { defaultBaselines } from '../../src/search/metrics/baselines.ts';
import {
  DEFAULT_SEARCH_OPERANDS,
  DEFAULT_SEARCH_OPERATIONS,
  type MetricSearchPlan,
} from '../../src/search/metrics/plan.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { WeightSparsity } from '../../src/experiment/sparsitySchema.ts';
import { LENGTH, SAMPLES, SHARED_FILES } from '../work.ts';
import { type MetricSearchSettings, DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';

/**
 * The plan of a study on the reference checkpoint. The fitness text is the first half of WikiText-2's test text, since the
 * checkpoint was trained on the rest of the data; the second half is what no search sees.
 */
export function studyPlan(
  folder: string,
  {
    sparsity,
    blocks,
    threads,
  }: { readonly sparsity: WeightSparsity; readonly blocks: number; readonly threads: number },
  search: Partial<MetricSearchSettings>,
): MetricSearchPlan {
  const [text, test] = halves(folder);
  return {
    kind: 'metrics',
    name: 'study',
    model: SHARED_FILES.model,
    text,
    test,
    calibration: SHARED_FILES.calibration,
    sparsity,
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands: DEFAULT_SEARCH_OPERANDS,
    seeds: [],
    baselines: defaultBaselines(DEFAULT_SEARCH_OPERANDS),
    settings: {
      ...DEFAULT_SETTINGS,
      device: 'cpu',
      length: LENGTH,
      samples: SAMPLES,
      offsets: 'even',
      blocks,
      threads,
    },
    search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, ...search },
  };
}

function halves(folder: string): [first: string, second: string] {
  const lines = readFileSync(SHARED_FILES.text, 'utf8').split(/(?<=\n)/);
  const files = ['search.txt', 'unseen.txt'].map((name) => path.resolve(folder, name)) as [string, string];
  writeFileSync(files[0], lines.slice(0, lines.length >> 1).join(''));
  writeFileSync(files[1], lines.slice(lines.length >> 1).join(''));
  return files;
}
