import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { fetchReference, locate, referenceTo } from '../../src/hub/locate.ts';
import type { HubOffer, HubProgress } from '../../src/hub/locate.ts';
import { namesHub, resolveHub } from '../../src/hub/resolveHub.ts';
import { failureOf } from '../support/expectCoded.ts';
import { commitOf, etagOf, HubServer, sendFile } from './hubServer.ts';
import type { Fault, ServedRepository } from './hubServer.ts';
import { contentOf, MODEL, NEEDED, noise, sessionFor, temporaryFolder } from './hubSession.ts';

const TOKEN = 'hf_abcdefghijklmnopqrstuvwxyz';
const ROWS = { 'README.md': 'rows', 'plain/test-00000-of-00001.parquet': noise(9000, 7) };

let server: HubServer;
afterEach(() => server.stop());

async function serve(repositories: Readonly<Record<string, ServedRepository>>): Promise<string> {
  server = await HubServer.start(repositories);
  return temporaryFolder(onTestFinished);
}

function blobsOf(cache: string, repository = 'models--o--m'): readonly string[] {
  return readdirSync(path.join(cache, repository, 'blobs')).sort();
}

function once(fault: Fault): Fault {
  let done = false;
  return (...given) => {
    if (done) return false;
    done = fault(...given);
    return done;
  };
}

const isShard = (asked: string): boolean => asked.includes('model-00001');

describe('a model by its name', () => {
  it('is fetched as Python lays it out: needed files alone, blobs by hash, links, and the ref', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
    const commit = commitOf(MODEL);
    expect(place).toBe(path.join(cache, 'models--o--m', 'snapshots', commit));
    expect(readdirSync(place).sort()).toEqual(NEEDED);
    for (const name of NEEDED) {
      const content = contentOf(name);
      expect(readlinkSync(path.join(place, name))).toBe(path.join('..', '..', 'blobs', etagOf(content)));
      expect(readFileSync(path.join(place, name)).equals(Buffer.from(content))).toBe(true);
    }
    expect(blobsOf(cache)).toEqual(NEEDED.map((name) => etagOf(contentOf(name))).sort());
    expect(readFileSync(path.join(cache, 'models--o--m', 'refs', 'main'), 'utf8')).toBe(commit);
  });

  it('that is in the cache is found without a connection', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
    const { length } = server.seen;
    const offline = sessionFor(server, cache, { variables: { HF_HUB_OFFLINE: '1' } });
    expect(await locate('hf:o/m', 'model', offline)).toBe(place);
    expect(await locate(`hf:o/m@${commitOf(MODEL)}`, 'model', sessionFor(server, cache))).toBe(place);
    expect(server.seen).toHaveLength(length);
  });

  it('is the files themselves where no links can be made', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const session = sessionFor(server, cache, { variables: { HF_HUB_DISABLE_SYMLINKS: '1' } });
    const place = await locate('hf:o/m', 'model', session);
    for (const name of NEEDED) expect(lstatSync(path.join(place, name)).isFile()).toBe(true);
    expect(blobsOf(cache)).toEqual([]);
    expect(await locate('hf:o/m', 'model', { ...session, agree: undefined })).toBe(place);
  });

  it('of a newer commit takes what has not changed from the older one', async () => {
    const changed = { ...MODEL, 'config.json': '{"architectures":["LlamaForCausalLM"],"new":1}' };
    const cache = await serve({ 'models/o/m': { files: MODEL, revisions: { v2: changed } } });
    await locate('hf:o/m', 'model', sessionFor(server, cache));
    const offers: HubOffer[] = [];
    const session = sessionFor(server, cache, {
      agree: (offer) => {
        offers.push(offer);
        return Promise.resolve(true);
      },
    });
    const place = await locate('hf:o/m@v2', 'model', session);
    expect(offers).toMatchObject([{ files: 1, bytes: changed['config.json'].length, commit: commitOf(changed) }]);
    expect(readdirSync(place).sort()).toEqual(NEEDED);
  });

  it('whose branch has moved on is asked for anew only when that is wanted', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const repository = path.join(cache, 'models--o--m');
    const old = await locate('hf:o/m', 'model', sessionFor(server, cache));
    writeFileSync(path.join(repository, 'refs', 'main'), 'a'.repeat(40));
    mkdirSync(path.join(repository, 'snapshots', 'a'.repeat(40)));
    expect(await fetchReference(referenceTo('hf:o/m', 'model'), sessionFor(server, cache))).toBe(old);
    expect(readFileSync(path.join(repository, 'refs', 'main'), 'utf8')).toBe(commitOf(MODEL));
  });

  it('remembers that there is no tokenizer.json', async () => {
    const others = Object.entries(MODEL).filter(([name]) => name !== 'tokenizer.json');
    const files = { ...Object.fromEntries(others), 'vocab.json': '{}', 'merges.txt': '#' };
    const cache = await serve({ 'models/o/m': { files } });
    const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
    const { length } = server.seen;
    expect(await locate('hf:o/m', 'model', sessionFor(server, cache))).toBe(place);
    expect(server.seen).toHaveLength(length);
    expect(readdirSync(place)).toEqual(expect.arrayContaining(['vocab.json', 'merges.txt']));
    expect(statSync(path.join(cache, 'models--o--m', '.no_exist', commitOf(files), 'tokenizer.json')).size).toBe(0);
  });

  it('tells how far it is', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const told: HubProgress[] = [];
    await locate('hf:o/m', 'model', sessionFor(server, cache, { onProgress: (progress) => told.push(progress) }));
    const total = NEEDED.reduce((sum, name) => sum + contentOf(name).length, 0);
    expect(new Set(told.map((progress) => progress.total))).toEqual(new Set([total]));
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).sort((a, b) => a - b));
    expect(told.at(-1)!.done).toBe(total);
  });

  it('that nobody agrees to is not fetched, and the offer says what it would be', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL, tags: ['license:mit'], gated: 'auto' } });
    const offers: HubOffer[] = [];
    const no = sessionFor(server, cache, {
      agree: (offer) => {
        offers.push(offer);
        return Promise.resolve(false);
      },
    });
    const declined = await failureOf(() => locate('hf:o/m', 'model', no));
    expect(declined.data).toMatchObject({
      code: 'hub/not-agreed',
      actual: expect.stringMatching(/^a no to 7 files/) as string,
    });
    expect(offers).toMatchObject([{ licence: 'mit', isGated: true, page: `${server.endpoint}/o/m`, files: 7 }]);
    const nobody = await failureOf(() => locate('hf:o/m', 'model', sessionFor(server, cache, { agree: undefined })));
    expect(nobody.data.actual).toMatch(/^nobody to ask; 7 files/);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('offline is an error that says what is missing, and opens no connection', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const offline = sessionFor(server, cache, { variables: { HF_HUB_OFFLINE: 'true' } });
    const failure = await failureOf(() => locate('hf:o/m', 'model', offline));
    expect(failure.data).toMatchObject({ code: 'hub/offline', actual: 'nothing of it' });
    await locate('hf:o/m', 'model', sessionFor(server, cache));
    const { length } = server.seen;
    const repository = path.join(cache, 'models--o--m');
    const snapshot = path.join(repository, 'snapshots', commitOf(MODEL));
    rmSync(path.join(snapshot, 'model-00002-of-00002.safetensors'));
    const part = await failureOf(() => locate('hf:o/m', 'model', offline));
    expect(part.data.actual).toContain('"model-00002-of-00002.safetensors", without that file');
    expect(server.seen).toHaveLength(length);
  });
});

describe('the token', () => {
  const GATED = { 'models/o/m': { files: MODEL, gated: 'manual', token: TOKEN } } as const;

  it('goes to the endpoint alone', async () => {
    const cache = await serve(GATED);
    await locate('hf:o/m', 'model', sessionFor(server, cache, { token: () => Promise.resolve(TOKEN) }));
    const sent = (host: string): readonly unknown[] => [
      ...new Set(server.seen.filter((each) => each.host === host).map(({ headers }) => headers.authorization)),
    ];
    expect(sent('hub')).toEqual([`Bearer ${TOKEN}`]);
    expect(sent('cdn')).toEqual([undefined]);
  });

  it.each([
    ['none', undefined, /401.*without a token/, /accept its licence at http.*\/o\/m\. Then set HF_TOKEN/],
    ['another', 'hf_another_account_s_token', /403/, /Check that the token/],
  ])('%s for what is gated: the error names the page, and not the token', async (_, token, actual, remedy) => {
    const cache = await serve(GATED);
    const failure = await failureOf(() =>
      locate('hf:o/m', 'model', sessionFor(server, cache, { token: () => Promise.resolve(token) })),
    );
    expect(failure.code).toBe('hub/gated');
    expect(failure.data.actual).toMatch(actual);
    expect(failure.data.remedy).toMatch(remedy);
    if (token !== undefined) expect(JSON.stringify([failure.data, failure.stack])).not.toContain(token);
  });

  it('is not sent where a listing says that it goes on elsewhere', async () => {
    const cache = await serve(GATED);
    server.pageSize = 2;
    server.fault = ({ path: asked }, response) => {
      if (asked.includes('/tree/')) {
        response.setHeader('Link', `<http://${server.cdnHost}/api/models/o/m/tree/x?cursor=2>; rel="next"`);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('[]');
        return true;
      }
      return false;
    };
    const failure = await failureOf(() =>
      locate('hf:o/m', 'model', sessionFor(server, cache, { token: () => Promise.resolve(TOKEN) })),
    );
    expect(failure.code).toBe('hub/bad-reply');
    expect(server.seen.filter(({ host }) => host === 'cdn')).toEqual([]);
  });
});

describe('what goes wrong on the way', () => {
  const begin = (response: ServerResponse, body: Buffer, most: number): void => {
    response.writeHead(200, { 'Content-Length': body.length });
    response.write(body.subarray(0, most), () => response.destroy());
  };
  const isFile: Fault = (seen) => seen.host === 'cdn' && isShard(seen.path);

  /** What ends in a whole cache. */
  const MENDED: readonly (readonly [string, () => Fault, (ranges: readonly (string | undefined)[]) => void])[] = [
    [
      'a connection that is cut goes on where it was',
      () => once((seen, response, body) => isFile(seen, response, body) && (begin(response, body!, 100_000), true)),
      (ranges) => {
        expect(ranges).toHaveLength(2);
        expect(ranges[1]).toMatch(/^bytes=\d+-$/);
      },
    ],
    [
      'a server that falls silent is asked again',
      () =>
        once((seen, response, body) => {
          if (!isFile(seen, response, body)) return false;
          response.writeHead(200, { 'Content-Length': body!.length }).write(body!.subarray(0, 1000));
          return true;
        }),
      (ranges) => {
        expect(ranges).toHaveLength(2);
      },
    ],
    [
      'a server that does not begin is asked again',
      () => once((seen, response, body) => isFile(seen, response, body)),
      (ranges) => {
        expect(ranges).toHaveLength(2);
      },
    ],
    [
      'a part that is refused is fetched as a whole',
      () => {
        let asked = 0;
        return (seen, response, body) => {
          if (!isFile(seen, response, body)) return false;
          if (asked++ === 0) begin(response, body!, 1000);
          else sendFile({ headers: {} }, response, body, { etag: '"x"' });
          return true;
        };
      },
      (ranges) => {
        expect(ranges).toHaveLength(2);
      },
    ],
    [
      'a range that is none is asked anew',
      () => {
        let asked = 0;
        return (seen, response, body) => {
          if (!isFile(seen, response, body) || asked > 1) return false;
          if (asked++ === 0) begin(response, body!, 1000);
          else response.writeHead(416).end();
          return true;
        };
      },
      (ranges) => {
        expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=/), undefined]);
      },
    ],
    [
      '429 is waited for',
      () =>
        once((seen, response) => {
          if (!seen.path.includes('/tree/')) return false;
          response.writeHead(429, { 'Retry-After': '0' }).end();
          return true;
        }),
      () => undefined,
    ],
    [
      '503 of the hub, and 403 of the other host whose address has run out',
      () => {
        let asked = 0;
        return (seen, response, body) => {
          if (asked === 0 || (asked === 1 && isFile(seen, response, body))) {
            response.writeHead(asked++ === 0 ? 503 : 403).end('<html>');
            return true;
          }
          return false;
        };
      },
      () => undefined,
    ],
  ];
  it.each(MENDED)('%s', async (_, fault, check) => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    server.fault = fault();
    const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
    for (const name of NEEDED) {
      expect(readFileSync(path.join(place, name)).equals(contentOf(name))).toBe(true);
    }
    expect(blobsOf(cache)).toHaveLength(NEEDED.length);
    const shards = server.seen.filter(({ host, path: asked }) => host === 'cdn' && isShard(asked));
    check(shards.map(({ headers }) => headers.range));
  });

  const refuse =
    (status: number, headers: Readonly<Record<string, string>> = {}): Fault =>
    (_, response) => {
      response.writeHead(status, headers).end();
      return true;
    };
  const shard =
    (answer: (response: ServerResponse, body: Buffer) => void): Fault =>
    (seen, response, body) => {
      if (!isFile(seen, response, body)) return false;
      answer(response, body!);
      return true;
    };
  /** What ends in an error. */
  const FAILING: readonly (readonly [string, Fault, string, RegExp])[] = [
    ['nothing of that name', refuse(404, { 'X-Error-Code': 'RepoNotFound' }), 'hub/not-found', /404/],
    ['no such revision', refuse(404, { 'X-Error-Code': 'RevisionNotFound' }), 'hub/not-found', /404/],
    ['too many requests for long', refuse(429, { 'Retry-After': '3600' }), 'hub/rate-limited', /429/],
    ['too many requests again and again', refuse(429), 'hub/rate-limited', /429/],
    ['a hub that is down', refuse(502), 'hub/unreachable', /502/],
    ['a status that means nothing here', refuse(418), 'hub/bad-reply', /418/],
    ['a redirection without end', refuse(302, { Location: '/' }), 'hub/bad-reply', /more than 8 redirections/],
    ['a redirection to a file', refuse(302, { Location: 'file:///etc/passwd' }), 'hub/bad-reply', /another one/],
    [
      'what is no JSON',
      (_, response) => Boolean(response.writeHead(200).end('<html>')),
      'hub/bad-reply',
      /what is no JSON/,
    ],
    [
      'what is JSON of something else',
      (_, response) => Boolean(response.writeHead(200).end('{}')),
      'hub/bad-reply',
      /no commit/,
    ],
    [
      'other bytes than the hash is of',
      shard((response, body) => response.writeHead(200).end(Buffer.alloc(body.length))),
      'hub/checksum',
      /nothing of it was kept/,
    ],
    [
      'a length that is another',
      shard((response, body) => response.writeHead(200, { 'Content-Length': body.length - 1 }).end(body.subarray(1))),
      'hub/bad-reply',
      /299999 bytes/,
    ],
    [
      'more bytes than there are',
      shard((response, body) => response.writeHead(200).end(Buffer.alloc(body.length + 1))),
      'hub/bad-reply',
      /more of them/,
    ],
    [
      'another part than was asked for',
      shard((response, body) =>
        response.writeHead(206, { 'Content-Range': `bytes 5-${body.length - 1}/${body.length}` }).end(),
      ),
      'hub/bad-reply',
      /bytes 5-/,
    ],
    [
      'a connection that is cut again and again',
      shard((response) => response.destroy()),
      'hub/unreachable',
      /ECONNRESET|other side closed|hang up/,
    ],
    [
      'a reply that always ends early',
      shard((response) => response.writeHead(200).end()),
      'hub/unreachable',
      /^0, and then the end/,
    ],
  ];
  it.each(FAILING)('%s is an error', async (_, fault, code, actual) => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    server.fault = fault;
    const failure = await failureOf(() => locate('hf:o/m', 'model', sessionFor(server, cache)));
    expect(failure.code).toBe(code);
    expect(failure.data.actual).toMatch(actual);
    const folder = path.join(cache, 'models--o--m', 'blobs');
    const blobs = existsSync(folder) ? readdirSync(folder) : [];
    expect(blobs.filter((name) => name.includes('incomplete'))).toEqual([]);
    // A second try, without the fault, ends well.
    server.fault = undefined;
    const place = await locate('hf:o/m', 'model', sessionFor(server, cache));
    expect(readdirSync(place).sort()).toEqual(NEEDED);
  });

  it('what was stopped goes on from there, and a part that is damaged is fetched anew', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    const stopped = new AbortController();
    const failure = await failureOf(() =>
      locate('hf:o/m', 'model', {
        ...sessionFor(server, cache, { signal: stopped.signal }),
        onProgress: ({ file, done }) => {
          if (isShard(file) && done > 100_000) stopped.abort();
        },
      }),
    );
    expect(failure.code).toBe('cancelled');
    const [left] = blobsOf(cache).filter((name) => name.endsWith('.incomplete'));
    expect(left).toMatch(/\.free\.[0-9a-f]{8}\.incomplete$/);
    const kept = statSync(path.join(cache, 'models--o--m', 'blobs', left!)).size;
    expect(kept).toBeGreaterThan(0);
    await locate('hf:o/m', 'model', sessionFor(server, cache));
    const ranges = server.seen
      .filter(({ host, path: asked }) => host === 'cdn' && isShard(asked))
      .map((each) => each.headers.range);
    expect(ranges.at(-1)).toBe(`bytes=${kept}-`);

    const other = temporaryFolder(onTestFinished);
    const blobs = path.join(other, 'models--o--m', 'blobs');
    mkdirSync(blobs, { recursive: true });
    const etag = etagOf(contentOf('model-00001-of-00002.safetensors'));
    writeFileSync(path.join(blobs, `${etag}.free.01234567.incomplete`), Buffer.alloc(1000, 9));
    const place = await locate('hf:o/m', 'model', sessionFor(server, other));
    expect(etagOf(readFileSync(path.join(place, 'model-00001-of-00002.safetensors')))).toBe(etag);
    expect(blobsOf(other)).toHaveLength(NEEDED.length);
  });

  it('names that lead elsewhere are not taken from a listing', async () => {
    const cache = await serve({
      'models/o/m': {
        files: {
          ...MODEL,
          'model.safetensors.index.json': JSON.stringify({ weight_map: { a: '../../../../x.safetensors' } }),
        },
      },
    });
    const failure = await failureOf(() => locate('hf:o/m', 'model', sessionFor(server, cache)));
    expect(failure.code).toBe('hub/bad-reply');
    expect(readdirSync(cache)).toEqual([]);
  });

  it('a cache that cannot be written to is an error', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL } });
    writeFileSync(path.join(cache, 'models--o--m'), 'a file in the way');
    const failure = await failureOf(() => locate('hf:o/m', 'model', sessionFor(server, cache)));
    expect(failure.data).toMatchObject({ code: 'io/write', file: cache });
  });
});

describe('a text by its name', () => {
  const place = (cache: string, files: ServedRepository['files'], file: string): string =>
    path.join(cache, 'datasets--o--d', 'snapshots', commitOf(files), ...file.split('/'));

  it.each([
    ['hf:o/d/plain:test', 'plain/test-00000-of-00001.parquet'],
    ['hf:o/d/plain/test-00000-of-00001.parquet', 'plain/test-00000-of-00001.parquet'],
    ['hf:o/d/README.md@main', 'README.md'],
  ])('%s', async (text, file) => {
    const cache = await serve({ 'datasets/o/d': { files: ROWS } });
    server.pageSize = 1;
    const found = await locate(text, 'text', sessionFor(server, cache));
    expect(found).toBe(place(cache, ROWS, file));
    expect(readFileSync(found).equals(Buffer.from(ROWS[file as keyof typeof ROWS]))).toBe(true);
    const { length } = server.seen;
    expect(await locate(text, 'text', sessionFor(server, cache))).toBe(found);
    expect(server.seen).toHaveLength(length);
  });

  it('of several files is an error that names the first, before and after it is in the cache', async () => {
    const files = Object.fromEntries([0, 1, 2].map((i) => [`en/c4-train.0000${i}-of-00003.json.gz`, noise(5000, i)]));
    const cache = await serve({ 'datasets/o/d': { files } });
    const first = 'hf:o/d/en/c4-train.00000-of-00003.json.gz';
    const several = await failureOf(() => locate('hf:o/d/en:train', 'text', sessionFor(server, cache)));
    expect(several.data).toMatchObject({ code: 'hub/files', remedy: `Name the file that is meant: ${first}.` });
    await locate(first, 'text', sessionFor(server, cache));
    expect((await failureOf(() => locate('hf:o/d/en:train', 'text', sessionFor(server, cache)))).data).toEqual(
      several.data,
    );
  });

  it('that its owner has in no file is taken from the branch with parquet', async () => {
    const converted = { 'default/test/0000.parquet': noise(6000, 5) };
    const files = { 'script.py': 'pass' };
    const cache = await serve({
      'datasets/o/d': { files, revisions: { 'refs/convert/parquet': converted } },
    });
    const found = await locate('hf:o/d:test', 'text', sessionFor(server, cache));
    expect(found).toBe(place(cache, converted, 'default/test/0000.parquet'));
    expect(readFileSync(path.join(cache, 'datasets--o--d', 'refs', 'refs', 'convert', 'parquet'), 'utf8')).toBe(
      commitOf(converted),
    );
    expect(await locate('hf:o/d:test', 'text', sessionFor(server, cache, { agree: undefined }))).toBe(found);
    const failure = await failureOf(() => locate('hf:o/d:train', 'text', sessionFor(server, cache)));
    expect(failure.code).toBe('hub/files');
  });

  it('that is not there is an error that lists what is', async () => {
    const cache = await serve({ 'datasets/o/d': { files: ROWS } });
    const failure = await failureOf(() => locate('hf:o/d/plain:train', 'text', sessionFor(server, cache)));
    expect(failure.data).toMatchObject({ code: 'hub/files', actual: 'a data set with hf:o/d/plain:test' });
  });
});

describe('a plan', () => {
  it('has paths in the place of names, each looked up once', async () => {
    const cache = await serve({ 'models/o/m': { files: MODEL }, 'datasets/o/d': { files: ROWS } });
    const text = 'hf:o/d/plain:test';
    const plan = { model: 'hf:o/m', text, calibration: text, gradients: '/a/file', settings: { length: 5 } };
    expect([namesHub(plan), namesHub({ model: '/a', text: '/b' })]).toEqual([true, false]);
    const resolved = await resolveHub(plan, sessionFor(server, cache));
    expect(resolved).toMatchObject({ gradients: '/a/file', settings: { length: 5 } });
    expect(resolved.model).toContain(path.join('models--o--m', 'snapshots'));
    expect(resolved.text).toBe(resolved.calibration);
    expect(namesHub(resolved)).toBe(false);
  });

  it.each([
    ['hf:o/m:train', 'model', /a split/],
    ['hf:o/d', 'text', /without a split or a file/],
    ['hf:../m', 'model', /neither begin nor end with/],
  ] as const)('with %s for a %s is refused', async (text, what, actual) => {
    const cache = await serve({});
    const failure = await failureOf(() => locate(text, what, sessionFor(server, cache)));
    expect(failure.code).toBe('hub/reference');
    expect(failure.data.actual).toMatch(actual);
    expect(server.seen).toEqual([]);
  });
});
