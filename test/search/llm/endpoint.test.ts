import { describe, expect, it } from 'vitest';
import { checkEndpoint, endpointName, isOpenAiEndpoint, originOf } from '../../../src/search/llm/endpoint.ts';
import { failureOf } from '../../support/expectCoded.ts';

describe('an endpoint', () => {
  it.each([
    ['', 'https://api.openai.com/v1'],
    ['HTTPS://API.OpenAI.COM:443/v1/', 'https://api.openai.com/v1'],
    ['https://api.openai.com./v1', 'https://api.openai.com/v1'],
    ['http://localhost:80', 'http://localhost'],
    ['http://0x7f.1:8000/v1//', 'http://127.0.0.1:8000/v1'],
    ['http:\\\\elsewhere.example\\v1', 'http://elsewhere.example/v1'],
    [' https://else\nwhere.example/a/../v1 ', 'https://elsewhere.example/v1'],
    ['https://ＡＰＩ.openai.com/v1', 'https://api.openai.com/v1'],
  ])('%j is %s, however it is spelled', (spelled, name) => {
    expect(endpointName(spelled)).toBe(name);
    expect(checkEndpoint(spelled).origin).toBe(originOf(name));
  });

  it.each([
    // Cyrillic а, and what merely begins or ends like it.
    'https://аpi.openai.com/v1',
    'https://api.openai.com.elsewhere.example/v1',
    'https://elsewhere.example/https://api.openai.com/v1',
    'https://api.openai.com:444/v1',
    'http://api.openai.com/v1',
    'http://api.openai.com:443/v1',
  ])('%s is not OpenAI’s', (spelled) => {
    expect(isOpenAiEndpoint(spelled)).toBe(false);
  });

  it.each([
    'https://api.openai.com@elsewhere.example/v1',
    'https://:x@elsewhere.example',
    'https://./v1',
    'http://',
    'javascript:alert(1)',
    'https://elsewhere.example/v1#api.openai.com',
  ])('%s is none', async (spelled) => {
    expect((await failureOf(() => endpointName(spelled))).code).toBe('settings/invalid');
  });
});
