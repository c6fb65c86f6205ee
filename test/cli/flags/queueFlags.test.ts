import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addQueueFlag, askedQueue } from '../../../src/cli/flags/queueFlags.ts';
import type { QueueOptions } from '../../../src/cli/flags/queueFlags.ts';
import { withoutSecrets } from '../../../src/base/secretVariables.ts';
import { failureOf } from '../../support/expectCoded.ts';

const SECRET = 'correct-horse';

/** The queue of a command line, in an environment. */
function asked(words: readonly string[], env: Record<string, string>) {
  const command = addQueueFlag(new Command('search').argument('[file]').option('--json')).exitOverride();
  command.parse([...words], { from: 'user' });
  return askedQueue(command.opts<QueueOptions>(), env);
}

const at = (shown: string, password?: string) => ({ shown, ...(password !== undefined && { password }) });
const REDIS = at('redis://host:6379/0');

describe('the queue that a command line names', () => {
  it.each<[string, string[], Record<string, string>, ReturnType<typeof at> | undefined]>([
    ['none', ['a.prune'], { ESPALIER_QUEUE: 'redis://host' }, undefined],
    ['by its address', ['--queue', 'redis://host'], {}, REDIS],
    ['by the variable', ['--queue'], { ESPALIER_QUEUE: ' redis://host ' }, REDIS],
    ['by the variable, behind a file', ['a.prune', '--queue'], { ESPALIER_QUEUE: 'redis://host' }, REDIS],
    ['by the variable, before a flag', ['--queue', '--json'], { ESPALIER_QUEUE: 'redis://host' }, REDIS],
    ['not by the variable', ['--queue', 'redis://host'], { ESPALIER_QUEUE: 'postgres://else/db' }, REDIS],
    ['a user', ['--queue', 'redis://me@host'], {}, at('redis://me@host:6379/0')],
    [
      'the variable’s password',
      ['--queue'],
      { ESPALIER_QUEUE: `redis://:${SECRET}@host` },
      { ...REDIS, password: SECRET },
    ],
    [
      'a password of its own',
      ['--queue'],
      { ESPALIER_QUEUE: 'redis://:old@host', ESPALIER_QUEUE_PASSWORD: SECRET },
      { ...REDIS, password: SECRET },
    ],
    [
      'a password, empty',
      ['--queue'],
      { ESPALIER_QUEUE: `redis://:${SECRET}@host`, ESPALIER_QUEUE_PASSWORD: '' },
      { ...REDIS, password: SECRET },
    ],
    [
      'a password for what is typed',
      ['--queue', 'redis://host'],
      { ESPALIER_QUEUE_PASSWORD: SECRET },
      { ...REDIS, password: SECRET },
    ],
    [
      'the same server, another database',
      ['--queue', 'redis://host/3'],
      { ESPALIER_QUEUE: `redis://:${SECRET}@host` },
      at('redis://host:6379/3', SECRET),
    ],
    [
      'another server',
      ['--queue', 'redis://other'],
      { ESPALIER_QUEUE: `redis://:${SECRET}@host` },
      at('redis://other:6379/0'),
    ],
    [
      'another server than the password’s',
      ['--queue', 'redis://other'],
      { ESPALIER_QUEUE: 'redis://host', ESPALIER_QUEUE_PASSWORD: SECRET },
      at('redis://other:6379/0'),
    ],
    [
      'the same server, not encrypted',
      ['--queue', 'redis://host'],
      { ESPALIER_QUEUE: `rediss://:${SECRET}@host:6379` },
      REDIS,
    ],
  ])('%s', (_, words, env, expected) => {
    const queue = asked(words, env);
    expect(queue && at(queue.shown, queue.password)).toEqual(expected);
  });

  it.each<[string, string[], Record<string, string>, string]>([
    ['nowhere', ['--queue'], {}, 'ESPALIER_QUEUE'],
    ['an empty variable', ['--queue'], { ESPALIER_QUEUE: ' ' }, 'ESPALIER_QUEUE'],
    ['an empty address', ['--queue', ''], {}, 'an address'],
    ['a file that was taken for an address', ['--queue', 'a.prune'], { ESPALIER_QUEUE: 'redis://host' }, 'at the end'],
    ['a password', ['--queue', `redis://:${SECRET}@host`], {}, 'ESPALIER_QUEUE_PASSWORD'],
    ['a password of a user', ['--queue', `postgres://me:${SECRET}@host/db`], {}, 'ESPALIER_QUEUE_PASSWORD'],
    ['a password as a parameter', ['--queue', `postgres://host/db?password=${SECRET}`], {}, 'not known'],
    ['another scheme', ['--queue', 'http://host'], {}, 'http:'],
    ['no URL', ['--queue', `redis://:${SECRET}@`], {}, 'no URL'],
    ['a variable that is no URL', ['--queue'], { ESPALIER_QUEUE: `redis://:${SECRET}@` }, 'reading ESPALIER_QUEUE'],
  ])('is refused: %s', async (_, words, env, said) => {
    const error = await failureOf(() => asked(words, env));
    expect(error.code).toBe('queue/address');
    expect(Object.values(error.data).join(' ')).toContain(said);
    expect(Object.values(error.data).join(' ')).not.toContain(SECRET);
  });
});

it('no process that is started gets the queue or a key', () => {
  const env = { PATH: '/bin', ESPALIER_QUEUE: 'a', espalier_queue_password: 'b', OPENAI_API_KEY: 'c', HF_HOME: 'd' };
  expect(withoutSecrets(env)).toEqual({ PATH: '/bin', HF_HOME: 'd' });
});
