import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hubCacheFolder } from '../../src/files/hubFolder.ts';
import { addressOf, hubEnvironment, hubToken } from '../../src/hub/hubEnvironment.ts';
import { failureOf } from '../support/expectCoded.ts';
import { temporaryFolder } from './hubSession.ts';

describe('what Python’s library reads of the environment', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['nothing', {}, '/home/p/.cache/huggingface/hub'],
    ['XDG_CACHE_HOME', { XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    ['HF_HOME', { HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, '/h/hub'],
    ['HF_HOME with ~', { HF_HOME: '~/h' }, '/home/p/h/hub'],
    ['HUGGINGFACE_HUB_CACHE', { HUGGINGFACE_HUB_CACHE: '/c', HF_HOME: '/h' }, '/c'],
    ['HF_HUB_CACHE', { HF_HUB_CACHE: '$SCRATCH/c', SCRATCH: '/s', HUGGINGFACE_HUB_CACHE: '/c' }, '/s/c'],
    ['an empty HF_HUB_CACHE', { HF_HUB_CACHE: '', HF_HOME: '/h' }, '/h/hub'],
  ])('%s: the cache', (_, variables, cache) => {
    expect(hubCacheFolder({ HOME: '/home/p', ...variables })).toBe(path.resolve(cache));
  });

  it.each<[Readonly<Record<string, string>>, boolean]>([
    [{ HF_HUB_OFFLINE: '1' }, true],
    [{ HF_HUB_OFFLINE: 'Yes' }, true],
    [{ HF_HUB_OFFLINE: '0', TRANSFORMERS_OFFLINE: '1' }, false],
    [{ TRANSFORMERS_OFFLINE: 'ON' }, true],
    [{}, false],
  ])('%o: offline is %s', (variables, isOffline) => {
    expect(hubEnvironment(variables).isOffline).toBe(isOffline);
  });

  it('the address, with a path of its own', () => {
    const environment = hubEnvironment({ HF_ENDPOINT: 'https://mirror.example/hf/' });
    expect(addressOf(environment, 'o/m')).toBe('https://mirror.example/hf/o/m');
    expect(addressOf(hubEnvironment({}), 'o/m')).toBe('https://huggingface.co/o/m');
  });

  it.each(['nowhere', 'file:///x', 'https://user:word@h', 'https://h?x=1'])('%s is no address', async (HF_ENDPOINT) => {
    const failure = await failureOf(() => hubEnvironment({ HF_ENDPOINT }));
    expect(failure.code).toBe('hub/reference');
    expect(failure.message).not.toContain('word');
  });

  it('the token: variables, then the file, then none; and none where it is not wanted', async () => {
    const home = temporaryFolder(onTestFinished);
    writeFileSync(path.join(home, 'token'), 'hf_of_the_file\n');
    const file = { HF_HOME: home };
    expect(await hubToken({ ...file, HF_TOKEN: ' hf_a \n', HUGGING_FACE_HUB_TOKEN: 'hf_b' })).toBe('hf_a');
    expect(await hubToken({ ...file, HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'hf_b' })).toBe('hf_b');
    expect(await hubToken(file)).toBe('hf_of_the_file');
    expect(await hubToken({ HF_TOKEN_PATH: path.join(home, 'token') })).toBe('hf_of_the_file');
    expect(await hubToken({ HF_HOME: path.join(home, 'none') })).toBeUndefined();
    expect(await hubToken({ ...file, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1', HF_TOKEN: 'hf_a' })).toBeUndefined();
    expect(await hubToken({ HF_TOKEN: 'hf_ä', HF_HOME: '/none' })).toBeUndefined();
    mkdirSync(path.join(home, 'folder', 'token'), { recursive: true });
    chmodSync(home, 0o700);
    const failure = await failureOf(() => hubToken({ HF_HOME: path.join(home, 'folder') }));
    expect(failure.code).toBe('io/read');
  });
});
