import { IDLE } from './gpuClock.ts';
import type { Idle } from './gpuClock.ts';
import type { GenerationEstimate, PaperEstimate } from './paperEstimate.ts';

/** What the reasons mean, for a reader. */
const REASONS: Readonly<Record<Idle, string>> = {
  opening: 'opening',
  few: 'fewer questions than GPUs',
  last: 'the last round of a rung',
  stragglers: 'stragglers',
  finalists: 'finalists',
};

/** Two tables in Markdown: by number of GPUs, and by generation for most of them. */
export function paperTable(estimates: readonly PaperEstimate[]): readonly string[] {
  const alone = estimates[0]!;
  const most = estimates.at(-1)!;
  return [
    `| GPUs | hours | faster by | busy | ${IDLE.map((why) => REASONS[why]).join(' | ')} |`,
    `|---${'|---'.repeat(3 + IDLE.length)}|`,
    ...estimates.map(
      ({ gpus, hours, efficiency, idle }) =>
        `| ${gpus} | ${hours.toFixed(1)} | ${(alone.hours / hours).toFixed(1)} | ${percent(efficiency)} | ${shares(idle, gpus * hours * 3600)} |`,
    ),
    '',
    `| generation, ${most.gpus} GPUs | questions of its rungs | minutes | busy | what limits |`,
    '|---|---|---|---|---|',
    ...most.generations.map(
      (one) =>
        `| ${one.generation} | ${one.rungs.join(', ')} | ${(one.seconds / 60).toFixed(1)} | ${percent(one.efficiency)} | ${limitOf(one)} |`,
    ),
  ];
}

function shares(idle: Readonly<Record<Idle, number>>, all: number): string {
  return IDLE.map((why) => percent(idle[why] / all)).join(' | ');
}

function limitOf({ idle }: GenerationEstimate): string {
  const worst = IDLE.reduce((most, why) => (idle[why] > idle[most] ? why : most));
  const all = IDLE.reduce((sum, why) => sum + idle[why], 0);
  return `${REASONS[worst]} (${percent(idle[worst] / all)} of the idle time)`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
