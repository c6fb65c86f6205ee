import { beforeEach, describe, expect, it, vi } from 'vitest';
import { QueueAccess } from '../../../src/extension/queue/queueAccess.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { FakeClock, settle } from '../fakeWorker.ts';

/** The editor: one setting, and what is told. */
const editor = vi.hoisted(() => ({
  queue: undefined as string | undefined,
  written: [] as (string | undefined)[],
  told: [] as string[],
  changed: (): void => undefined,
}));

vi.mock('vscode', () => ({
  ConfigurationTarget: { Global: 1 },
  workspace: {
    getConfiguration: () => ({
      get: (_: string, otherwise: string) => editor.queue ?? otherwise,
      update: (_: string, value: string | undefined) => {
        editor.queue = value;
        editor.written.push(value);
        return Promise.resolve();
      },
    }),
    onDidChangeConfiguration: (listener: (event: { affectsConfiguration: () => boolean }) => void) => {
      editor.changed = () => {
        listener({ affectsConfiguration: () => true });
      };
      return { dispose: () => undefined };
    },
  },
  window: {
    showInformationMessage: (text: string) => {
      editor.told.push(text);
      return Promise.resolve(undefined);
    },
  },
}));

beforeEach(() => {
  Object.assign(editor, { queue: undefined, written: [], told: [] });
});

function setUp(queue?: string, kept: Readonly<Record<string, string>> = {}) {
  editor.queue = queue;
  const secrets = new Map(Object.entries(kept));
  let servers: readonly string[] = [];
  const changes: (string | undefined)[] = [];
  const failed: string[] = [];
  const clock = new FakeClock();
  const access = new QueueAccess({
    context: {
      secrets: {
        get: (name: string) => Promise.resolve(secrets.get(name)),
        store: (name: string, secret: string) => Promise.resolve(void secrets.set(name, secret)),
        delete: (name: string) => Promise.resolve(void secrets.delete(name)),
      },
      globalState: {
        get: () => servers,
        update: (_: string, value: readonly string[]) => Promise.resolve(void (servers = value)),
      },
    } as never,
    tell: (what) => failed.push(what),
    onChange: (shown) => changes.push(shown),
    clock,
  });
  return { access, secrets, changes, clock, failed, servers: () => servers };
}

const SECRET = 'espalier.queue.password:';

describe('what is asked over', () => {
  it.each<[string, string | undefined, Readonly<Record<string, string>>, unknown]>([
    ['nothing where nothing is set', undefined, {}, undefined],
    ['nothing where the setting is blank', '  ', {}, undefined],
    ['an address', ' redis://h ', {}, { grant: { address: 'redis://h' }, shown: 'redis://h:6379/0' }],
    [
      'an address with the password that is kept for it',
      'rediss://me@h/2?ca=/etc/ca.pem',
      { [`${SECRET}rediss://me@h:6379/2`]: 'p w' },
      { grant: { address: 'rediss://me@h/2?ca=/etc/ca.pem', password: 'p w' }, shown: 'rediss://me@h:6379/2' },
    ],
    [
      'another server, without that password',
      'redis://other',
      { [`${SECRET}redis://h:6379/0`]: 'pw' },
      { grant: { address: 'redis://other' }, shown: 'redis://other:6379/0' },
    ],
    [
      'the same server unencrypted, without that password',
      'redis://h',
      { [`${SECRET}rediss://h:6379/0`]: 'pw' },
      { grant: { address: 'redis://h' }, shown: 'redis://h:6379/0' },
    ],
  ])('is %s', async (_, setting, kept, asked) => {
    await expect(setUp(setting, kept).access.asked()).resolves.toEqual(asked);
  });

  it.each(['h:6379', 'http://h', 'redis://', 'redis://h/x', 'redis://h?password=hidden'])(
    'is refused where the setting is %s',
    async (setting) => {
      const { access } = setUp(setting);
      expect(await failureOf(() => access.asked())).toMatchObject({ code: 'queue/address' });
      expect(access.shown).toBeUndefined();
    },
  );
});

describe('a password in the setting', () => {
  it.each([
    ['redis://:s%40crt@h', 'redis://h', 'redis://h:6379/0', 's@crt'],
    ['redis://me:secret@h:7000/1', 'redis://me@h:7000/1', 'redis://me@h:7000/1', 'secret'],
    ['postgres://me:secret@h/lab?sslmode=verify-full', 'postgres://me@h/lab?sslmode=verify-full', undefined, 'secret'],
  ])('of %s goes to the keychain, and that is said', async (setting, left, shown, password) => {
    const { access, secrets, servers } = setUp(setting);
    const asked = await access.asked();
    expect(asked?.grant).toEqual({ address: left, password });
    expect(editor.written).toEqual([left]);
    expect([...secrets.values()]).toEqual([password]);
    if (shown !== undefined) expect([...secrets.keys(), ...servers()]).toEqual([`${SECRET}${shown}`, shown]);
    expect(editor.told).toHaveLength(1);
    expect(editor.told[0]).toContain('moved to the keychain');
    expect(editor.told[0]).not.toContain(password);
  });

  it('of no address is removed all the same, and kept for nobody', async () => {
    const { access, secrets } = setUp('redis://me:secret@h?tls=yes');
    expect(await failureOf(() => access.asked())).toMatchObject({ code: 'queue/address' });
    expect(editor.written).toEqual(['redis://me@h?tls=yes']);
    expect(secrets.size).toBe(0);
    expect(editor.told[0]).toContain('the password was removed');
    expect(editor.told[0]).not.toContain('secret');
  });

  it('that is typed is moved once the typing rests, or when it is needed', async () => {
    const { access, clock, secrets } = setUp();
    await settle();
    for (const typed of ['redis://me:sec@h', 'redis://me:secret@host']) {
      editor.queue = typed;
      editor.changed();
      await clock.pass(1000);
    }
    expect(editor.written).toEqual([]);
    await clock.pass(1500);
    expect(editor.written).toEqual(['redis://me@host']);
    expect([...secrets]).toEqual([[`${SECRET}redis://me@host:6379/0`, 'secret']]);
    editor.queue = 'redis://me:other@host';
    editor.changed();
    await expect(access.asked()).resolves.toMatchObject({ grant: { password: 'other' } });
    expect(editor.written).toHaveLength(2);
  });

  it('stays nowhere when an address is typed into the question for one', async () => {
    const { access, secrets } = setUp('redis://old');
    await access.choose('redis://:pw@new');
    expect([editor.queue, [...secrets.values()]]).toEqual(['redis://new', ['pw']]);
    await access.choose('');
    expect([editor.queue, await access.asked()]).toEqual([undefined, undefined]);
    expect(await failureOf(() => access.choose('http://x'))).toMatchObject({ code: 'queue/address' });
  });
});

it('tells that there is another queue, or none, and nothing where it is the same by another spelling', async () => {
  const { changes, clock } = setUp('redis://h');
  await settle();
  for (const setting of ['redis://h:6379/0', 'redis://h', 'redis://g', undefined]) {
    editor.queue = setting;
    editor.changed();
    await clock.pass(2500);
  }
  expect(changes).toEqual(['redis://g:6379/0', undefined]);
});
