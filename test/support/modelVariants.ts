import { readConfig } from '../../src/engine/checkpoint/readConfig.ts';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import type { FamilyName } from './generate/families.ts';
import { type RawTensors, readRaw, rewriteWeights } from './generate/rewriteWeights.ts';
import { temporaryFamily, type TemporaryFamily } from './generate/temporaryFamily.ts';

/** Generated checkpoints in other forms, and whether the engine takes them for the same model. */
export class ModelVariants {
  readonly root: string;
  readonly engine: Engine = createEngine({ startFresh: () => createEngine() });
  private readonly families = new Map<FamilyName, TemporaryFamily>();

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<ModelVariants> {
    return new ModelVariants(await mkdtemp(path.join(tmpdir(), 'espalier-variants-')));
  }

  async remove(): Promise<void> {
    await this.engine.dispose();
    for (const family of this.families.values()) await family.remove();
    await rm(this.root, { recursive: true });
  }

  async familyOf(name: FamilyName): Promise<TemporaryFamily> {
    const family = this.families.get(name) ?? (await temporaryFamily(name));
    this.families.set(name, family);
    return family;
  }

  /** A copy of the family's folder with other tensors, in one file, and other fields of config.json. */
  async variant(
    name: FamilyName,
    change: (tensors: RawTensors) => void = () => undefined,
    fields: (config: object) => object = (config) => config,
  ): Promise<string> {
    const folder = await mkdtemp(path.join(this.root, 'variant-'));
    await cp((await this.familyOf(name)).folder, folder, { recursive: true });
    rewriteWeights(folder, change);
    const file = path.join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    await rm(file);
    await writeFile(file, JSON.stringify(fields(config)));
    return folder;
  }

  async planOf(name: FamilyName, model: string): Promise<EvaluationPlan> {
    const { textFile, calibrationFile } = await this.familyOf(name);
    const expression = parsePrefix('mul(W, sqrt(X))');
    return {
      model,
      text: textFile,
      calibration: calibrationFile,
      evaluations: [{ metric: 'wanda', expression, sparsity: { kind: 'unstructured', share: 0.5 } }],
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 2, length: 24, offsets: 'even' },
    };
  }

  /** Perplexities and zeros, to the last bit. */
  async numbersOf(name: FamilyName, folder: string): Promise<unknown[]> {
    const [result] = await this.engine.evaluate(await this.planOf(name, folder));
    return [result!.densePerplexity, result!.perplexity, result!.actualSparsity, result!.provenance.modelZeros];
  }

  /** Both are the same model, which is not the family's own; so are their exports, in weights and config.json. */
  async expectSameModel(name: FamilyName, made: string, plain: string): Promise<void> {
    const family = await this.familyOf(name);
    const numbers = await this.numbersOf(name, plain);
    expect(await this.numbersOf(name, made)).toEqual(numbers);
    expect(numbers).not.toEqual(await this.numbersOf(name, family.folder));
    const [ofMade, ofPlain] = [made, plain].map((folder) => path.join(this.root, `of-${path.basename(folder)}`));
    for (const folder of [ofMade!, ofPlain!]) await rm(folder, { recursive: true, force: true });
    await this.engine.exportModel(await this.planOf(name, made), { folder: ofMade!, format: 'huggingface' });
    await this.engine.exportModel(await this.planOf(name, plain), { folder: ofPlain!, format: 'huggingface' });
    expect(JSON.stringify([...readRaw(ofMade!)])).toBe(JSON.stringify([...readRaw(ofPlain!)]));
    // What an export adds for other programs' sake does not say another model.
    const [first, second] = await Promise.all([ofMade!, ofPlain!].map((folder) => readConfig(folder)));
    expect(first!.config).toEqual(second!.config);
  }

  async notesOf(folder: string): Promise<readonly string[]> {
    return (await this.engine.describe(folder)).notes ?? [];
  }
}
