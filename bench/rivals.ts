import { llamaCppFolder } from '../test/support/llamaCpp/library.ts';
import { LLAMA_CPP_SETTINGS, measureLlamaCpp, settingsText } from './llamaCpp/peer.ts';
import type { BenchModels } from './models.ts';
import { measurePeer, type Peer } from './peer.ts';
import { type Conditions, type Measurement, ROOT, type Work } from './work.ts';

/** Someone who computes what we do. */
export interface Rival {
  readonly name: string;
  /** How far its value may be from ours, relatively. */
  readonly agreement: number;
  readonly measure: (work: Work, conditions: Conditions) => Promise<Measurement>;
}

export interface Rivals {
  readonly pytorch: Rival | undefined;
  readonly llamaCpp: readonly Rival[];
}

/** Whoever is here; who is not is named. */
export function findRivals(peer: Peer, models: BenchModels, note: (line: string) => void): Rivals {
  if ('missing' in peer) note(`no comparison with PyTorch: ${peer.missing}`);
  else note(`peer: ${peer.about}`);
  const library = llamaCppFolder(ROOT);
  if ('missing' in library) note(`no comparison with ${library.missing}`);
  return {
    pytorch: 'missing' in peer ? undefined : pytorchRival(peer.python),
    llamaCpp: 'missing' in library ? [] : llamaCppRivals(library.folder, models),
  };
}

function pytorchRival(python: string): Rival {
  const measure: Rival['measure'] = (work, conditions) => measurePeer(python, work, conditions);
  return { name: 'PyTorch', agreement: AGREEMENT, measure };
}

function llamaCppRivals(folder: string, models: BenchModels): readonly Rival[] {
  return LLAMA_CPP_SETTINGS.map((settings) => ({
    name: `llama.cpp, ${settingsText(settings)}`,
    agreement: settings.weights === 'BF16' ? ROUNDED : AGREEMENT,
    measure: async (work, conditions) => {
      const file = await models.gguf(work.model, settings.weights === 'F32' ? 'f32' : 'bf16');
      return measureLlamaCpp(folder, file, settings, work, conditions);
    },
  }));
}

/** In float32; and where activations are rounded to bfloat16, which nobody would call wrong who takes that for speed. */
const [AGREEMENT, ROUNDED] = [1e-3, 2e-3];

/** Why two measurements are not of the same, where they are not. */
export function disagreement(ours: Measurement, theirs: Measurement, { agreement }: Rival): string | undefined {
  if (ours.tokens !== undefined && theirs.tokens !== undefined && ours.tokens !== theirs.tokens) return 'other tokens';
  const agree = (a: number, b: number): boolean => Math.abs(a / b - 1) < agreement;
  if (!agree(ours.value, theirs.value)) return `${ours.value} and ${theirs.value}`;
  if (agree(ours.gradient ?? 1, theirs.gradient ?? 1)) return undefined;
  return `${ours.gradient} and ${theirs.gradient}`;
}

/** A rival whose value is ours, and what it took. */
export interface Tried {
  readonly rival: Rival;
  readonly measured: Measurement;
}

/** Tries all on a part of the work. @returns those whose values are ours, the fastest first */
export async function tryRivals(
  rivals: readonly Rival[],
  ours: Measurement,
  work: Work,
  conditions: Conditions,
  note: (line: string) => void,
): Promise<readonly Tried[]> {
  const right: Tried[] = [];
  for (const rival of rivals) {
    const measured = await rival.measure(work, conditions);
    const wrong = disagreement(ours, measured, rival);
    const backend = measured.backend === undefined ? '' : ` (${measured.backend})`;
    const figures = `${measured.seconds.toFixed(2)} s, ${measured.value.toPrecision(10)}`;
    note(`  ${rival.name}${backend}: ${figures}${wrong === undefined ? '' : `, which is wrong: ${wrong}`}`);
    if (wrong === undefined) right.push({ rival, measured });
  }
  return right.toSorted((a, b) => a.measured.seconds - b.measured.seconds);
}
