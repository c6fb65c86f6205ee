import type { SeenWorker } from '../../src/experiment/seenWorker.ts';
import type { PanelQueue } from '../../src/view/panelMessages.ts';

const ADDRESS = 'rediss://lab@queue.example.org:6379/0';

/** A queue with workers that never were. @param wanted how many, `trouble` for lost and refused ones, `hostile` for names that mean no good */
export function queueOf(wanted: string): PanelQueue {
  const made = wanted === 'null' ? null : workersOf(wanted);
  return {
    address: ADDRESS,
    command: 'espalier worker --queue rediss://lab@queue.example.org:6379/0',
    hasPassword: wanted === '0' || wanted === 'stuck',
    workers: made,
  };
}

function workersOf(wanted: string): SeenWorker[] {
  if (wanted === 'trouble') {
    return [
      worker(0),
      worker(1, { state: 'opening', answered: 0, perMinute: 0 }),
      worker(2, { state: 'lost', silent: 74, perMinute: 0 }),
      worker(3, { state: 'refused', answered: 0, perMinute: 0, detail: CLASS }),
      worker(4, { state: 'refused', device: '', answered: 0, perMinute: 0, detail: VERSION }),
      worker(5, { state: 'elsewhere' }),
      worker(6, { state: 'idle', perMinute: 0 }),
    ];
  }
  if (wanted === 'stuck')
    return [
      worker(0, { state: 'refused', detail: CLASS, answered: 0, perMinute: 0 }),
      worker(1, { state: 'lost', silent: 8000 }),
    ];
  if (wanted === 'hostile') {
    const name = '<img src=x onerror=alert(1)> [run](command:x) $(zap) '.repeat(3);
    return [
      worker(0, { name, device: name }),
      worker(1, { state: 'refused', name: 'x'.repeat(120), detail: 'y'.repeat(600) }),
    ];
  }
  return Array.from({ length: Number(wanted) }, (_, i) =>
    worker(i, i % 13 === 12 ? { state: 'idle', perMinute: 0 } : {}),
  );
}

const CLASS =
  'expected cpu (AMD EPYC 7763), float32, onnxruntime 1.30.0, as whoever opened the run; has cuda:0 (NVIDIA A100), float16, onnxruntime 1.30.0';
const VERSION = 'expected Espalier 0.1.0, has 0.0.9';

function worker(i: number, changes: Partial<SeenWorker> = {}): SeenWorker {
  return {
    id: `worker-${i}`,
    name: `node${Math.floor(i / 4)}.cluster/${i % 4}`,
    device: `cuda:${i % 4} (NVIDIA A100-SXM4-80GB)`,
    state: 'ours',
    answered: 100 + ((i * 37) % 61),
    perMinute: 3 + ((i * 7) % 11) / 4,
    silent: (i * 3) % 7,
    ...changes,
  };
}
