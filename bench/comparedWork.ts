import type { BenchContext } from './benchContext.ts';
import { measureOurs } from './ours.ts';
import type { ShapeName } from './generatedModel.ts';
import { comparedRow, type Goal, type Row } from './report.ts';
import { disagreement, type Rival, type Tried, tryRivals } from './rivals.ts';
import type { Conditions, JobName, Measurement, Work } from './work.ts';

/** A piece of work that both sides do, with the bars on how many times faster, or smaller, than the peer we are. */
export interface ComparedWork extends Pick<Work, 'length' | 'blocks' | 'samples'> {
  readonly job: JobName;
  readonly model: ShapeName | '6m';
  readonly title: string;
  /** Where none are asked for. */
  readonly rounds: number;
  /** Blocks of the work on which the peers are tried. */
  readonly tried: number;
  /** Relative, where values may differ by more than those of a rival may elsewhere. */
  readonly agreement?: number;
  readonly goals: Readonly<Partial<Record<'pass' | 'whole' | 'memory', Goal>>>;
}

/** Ours and the fastest peer's in turn, so that whatever else the machine does meets both alike. */
export async function compareWork(compared: ComparedWork, context: BenchContext): Promise<readonly Row[]> {
  const { title, job, length, blocks, samples, goals } = compared;
  const { models, note, options } = context;
  const conditions: Conditions = { threads: options.threads, processor: options.processor };
  const work: Work = { ...(await models.files(compared.model)), job, length, blocks, samples };
  const rounds = options.rounds ?? compared.rounds;
  const { rival, memory } = await choose(compared, work, context, conditions);
  const ours: Measurement[] = [];
  const theirs: Measurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    ours.push(await measureOurs(work, conditions));
    if (rival) theirs.push(await rival.measure(work, conditions));
    const [a, b] = [ours.at(-1)!, theirs.at(-1)];
    note(
      `${title}, round ${round} of ${rounds}: ${a.seconds.toFixed(2)} s${b ? `, peer ${b.seconds.toFixed(2)} s` : ''}`,
    );
    const wrong = b && rival && disagreement(a, b, rival);
    if (wrong !== undefined) throw new Error(`${title}: the two sides disagree, ${wrong}: their times mean nothing`);
  }
  const against = rival && { against: rival.name };
  const row = (suffix: string, unit: string, of: (m: Measurement) => number, goal?: Goal): Row => ({
    ...comparedRow(`${title}${suffix}`, unit, ours.map(of), rival && theirs.map(of), goal),
    ...against,
  });
  const seconds = options.processor ? 's of CPU' : 's';
  return [
    row('', seconds, (m) => m.seconds, goals.pass),
    row(': whole process', seconds, (m) => m.wholeSeconds, goals.whole),
    memory
      ? memoryRow(title, ours, memory, goals.memory)
      : row(': peak memory', 'MiB', (m) => m.peakMemory, goals.memory),
  ];
}

/** Whoever is fastest: memory is compared with llama.cpp's, which takes least. It was measured where it was tried, and is the same each time. */
function memoryRow(title: string, ours: readonly Measurement[], { rival, measured }: Tried, goal?: Goal): Row {
  const sizes = ours.map(({ peakMemory }) => peakMemory);
  return {
    ...comparedRow(
      `${title}: peak memory`,
      'MiB',
      sizes,
      sizes.map(() => measured.peakMemory),
      goal,
    ),
    against: rival.name,
  };
}

/** llama.cpp computes perplexities of dense models, and nothing else that is compared. */
async function choose(
  { title, tried, job, agreement: least = 0 }: ComparedWork,
  whole: Work,
  { rivals, note }: BenchContext,
  conditions: Conditions,
): Promise<{ readonly rival: Rival | undefined; readonly memory?: Tried | undefined }> {
  const { pytorch, llamaCpp } = await rivals();
  const able = [...(job === 'dense' ? llamaCpp : []), ...(pytorch ? [pytorch] : [])].map((rival): Rival => ({
    ...rival,
    agreement: Math.max(rival.agreement, least),
  }));
  if (able.length < 2) return { rival: able[0] };
  note(`${title}: who is fastest on ${tried} of ${whole.blocks} blocks?`);
  const work = { ...whole, blocks: tried };
  const ours = await measureOurs(work, conditions);
  note(`  ours: ${ours.seconds.toFixed(2)} s, ${ours.value.toPrecision(10)}`);
  const right = await tryRivals(able, ours, work, conditions, note);
  return {
    rival: right[0]?.rival,
    memory: right.find(({ rival }) => llamaCpp.some(({ name }) => name === rival.name)),
  };
}
