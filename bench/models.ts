import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHAPES, type GeneratedModel, type ModelShape, type ShapeName } from './generatedModel.ts';
import type { GgufWeights } from '../src/experiment/ggufTypes.ts';
import { runInChild } from './ours.ts';
import { REFERENCE_WORK, type Work } from './work.ts';

/** Words of a generated text: more than the tokens that anything here asks of one. */
const WORDS = 40_000;

/** Models that are made when first asked for, and files that are made of them; all in temporary folders that go at the end. */
export class BenchModels {
  private readonly generated = new Map<string, Promise<GeneratedModel>>();
  private readonly ggufs = new Map<string, Promise<string>>();
  private readonly folders: string[] = [];
  private readonly note: (line: string) => void;

  constructor(note: (line: string) => void) {
    this.note = note;
  }

  /** What a work of a model of that shape begins with; `6m` is the reference checkpoint. */
  async files(name: ShapeName | '6m'): Promise<Pick<Work, 'model' | 'text' | 'calibration'>> {
    if (name === '6m') return REFERENCE_WORK;
    const { folder, text } = await this.generate(name, SHAPES[name]);
    return { model: folder, text, calibration: text };
  }

  /** @param name for people; models of one shape are the same */
  generate(name: string, shape: ModelShape, words = WORDS): Promise<GeneratedModel> {
    return once(this.generated, JSON.stringify([shape, words]), async () => {
      this.note(`generating a model: ${name}`);
      const { answer } = await runInChild({ kind: 'generate', shape, words });
      const model = answer as unknown as GeneratedModel;
      this.folders.push(model.folder);
      return model;
    });
  }

  gguf(model: string, type: GgufWeights): Promise<string> {
    return once(this.ggufs, `${model} ${type}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
      this.folders.push(folder);
      const file = join(folder, `${type}.gguf`);
      await runInChild({ kind: 'gguf', model, file, type });
      return file;
    });
  }

  /** Removes what is not needed any more: models of a billion parameters would fill a small disk. */
  async dispose(): Promise<void> {
    this.generated.clear();
    this.ggufs.clear();
    for (const folder of this.folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}

function once<Value>(made: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  return known;
}
