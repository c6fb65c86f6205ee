import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../src/experiment/settings.ts';
import { LENGTH, SHARED_FILES } from '../work.ts';
import type { StudyOptions } from './studyOptions.ts';

export interface StudyContext {
  readonly engine: Engine;
  readonly options: StudyOptions;
  /** What searches see, and what they do not: the two halves of WikiText-2's test text, the only data the checkpoint was not trained on. */
  readonly texts: { readonly fitness: string; readonly unseen: string };
  readonly settings: EvaluationSettings;
  /** A file of the output folder. */
  readonly file: (name: string) => string;
}

export function studyContext(engine: Engine, options: StudyOptions): StudyContext {
  const file = (name: string): string => path.resolve(options.out, name);
  mkdirSync(options.out, { recursive: true });
  const texts = { fitness: file('search.txt'), unseen: file('unseen.txt') };
  const lines = readFileSync(SHARED_FILES.text, 'utf8').split(/(?<=\n)/);
  writeFileSync(texts.fitness, lines.slice(0, lines.length >> 1).join(''));
  writeFileSync(texts.unseen, lines.slice(lines.length >> 1).join(''));
  const { samples, blocks, threads } = options;
  const settings: EvaluationSettings = {
    ...DEFAULT_SETTINGS,
    ...({ device: 'cpu', length: LENGTH, offsets: 'even', samples, blocks, threads } as const),
    // As searches measure.
    calibrate: 'one-shot',
  };
  return { engine, options, texts, settings, file };
}
