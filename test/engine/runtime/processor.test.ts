import os from 'node:os';
import { expect, it } from 'vitest';
import { kernelsOf, processorName } from '../../../src/engine/runtime/processor.ts';

it.each([
  ['an AMD EPYC of 2022', 'flags\t\t: fpu sse sse2 fma avx avx2 avx512f avx512bw avx512_vnni', 'avx512'],
  ['an Intel Xeon with AMX', 'flags\t\t: sse2 fma avx avx2 avx512f amx_tile amx_int8 amx_bf16', 'avx512'],
  ['an Intel Core of 2013', 'flags\t\t: sse2 fma avx avx2', 'avx2'],
  ['one with AVX2 and without FMA', 'flags\t\t: sse2 avx avx2', 'avx'],
  ['an Intel Core of 2008', 'flags\t\t: sse sse2 sse4_2', 'sse2'],
  ['an Ampere Altra', 'processor\t: 0\nFeatures\t: fp asimd evtstrm aes asimddp', 'neon'],
  ['a Graviton 3', 'Features\t: fp asimd sve i8mm bf16', 'sve'],
  ['one with SME', 'Features\t: fp asimd sve sme', 'sme'],
  ['a system that does not say', '', undefined],
])('%s', (_, text, kernels) => {
  expect(kernelsOf(`processor\t: 0\nmodel name\t: x avx512f\n${text}\nbugs\t\t: none\n`)).toBe(kernels);
});

it('names the processor of this machine', () => {
  expect(processorName()).toContain(os.cpus()[0]!.model.trim());
  expect(processorName()).toMatch(process.platform === 'linux' ? /\(\w+, \w+\)$/ : /\(\w+/);
});
