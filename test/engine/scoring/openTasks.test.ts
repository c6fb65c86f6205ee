import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EncodedTask, openTasks } from '../../../src/engine/scoring/openTasks.ts';
import { type DenseModel, openDenseModel } from '../structure/denseModel.ts';

// What a plan's tasks ask is encoded once, as long as everything that decides it is the same.

const FIRST = { goal: 'open a door', sol1: 'turn the handle', sol2: 'paint the wall', label: 0 };
let model: DenseModel;
let folder: string;
let file: string;
beforeAll(async () => {
  model = await openDenseModel('llama-2 grouped queries', 1, 8);
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-tasks-'));
  file = path.join(folder, 'piqa.jsonl');
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

test('the same questions are the same tokens again, others are not', async () => {
  const encodedTasks = new Map<string, EncodedTask>();
  const open = async (label: number, beginning: 'none' | 'always' = 'none') => {
    await writeFile(file, `${JSON.stringify({ ...FIRST, label })}\n`);
    const list = [{ task: 'piqa', documents: file, shots: 0, limit: 0 }];
    return openTasks({ list, harness: '0.4', beginning }, model, {}, { encodedTasks });
  };
  const first = await open(0);
  const again = await open(0);
  expect(again.sequences[0]).toBe(first.sequences[0]);
  expect(again.tasks[0]!.fingerprint).toBe(first.tasks[0]!.fingerprint);
  const other = await open(1);
  expect(other.tasks[0]!.asked[0]!.gold).toBe(1);
  expect(other.sequences[0]).not.toBe(first.sequences[0]);
  const begun = await open(1, 'always');
  expect(begun.sequences[0]!.ids.length).toBe(other.sequences[0]!.ids.length + 1);
  expect(encodedTasks.size).toBe(1);
});
