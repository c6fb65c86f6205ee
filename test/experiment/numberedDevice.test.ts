import { describe, expect, it } from 'vitest';
import { printDevice, readDevices } from '../../src/experiment/numberedDevice.ts';
import { failureOf } from '../support/expectCoded.ts';

describe('a list of devices', () => {
  it.each([
    ['cuda:0,cuda:1', ['cuda:0', 'cuda:1']],
    [' webgpu:3 , cpu ', ['webgpu:3', 'cpu:0']],
    ['dml:255', ['dml:255']],
  ])('%s', (text, names) => {
    expect(readDevices(text).map(printDevice)).toEqual(names);
  });

  it.each([
    ['', '“”'],
    ['cuda:', '“cuda:”'],
    ['cuda:-1', '“cuda:-1”'],
    ['cuda:256', '“cuda:256”'],
    ['gpu:0', '“gpu:0”'],
    ['CUDA:0', '“CUDA:0”'],
    ['cuda:0,', '“”'],
    ['constructor:0', '“constructor:0”'],
    ['cuda:1,cuda:01', 'cuda:1 twice'],
    ['cuda,cuda:0', 'cuda:0 twice'],
    [`\u001b[2J${'x'.repeat(500)}`, 'x…'],
  ])('%j is none', async (text, actual) => {
    const { code, data } = await failureOf(() => readDevices(text));
    expect([code, data.expected]).toEqual(['settings/invalid', expect.stringContaining('cuda:0,cuda:1')]);
    expect(data.actual).not.toContain('\u001b');
    expect(data.actual.length).toBeLessThan(100);
    if (!actual.includes('…')) expect(data.actual).toBe(actual);
  });
});
