import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A repository that the server has, by `models/owner/name` or `datasets/owner/name`. */
export interface ServedRepository {
  /** Path → bytes. What is at least {@link LFS_FROM} long lies in LFS, with another host. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Branches and tags beside main → files at them. */
  readonly revisions?: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>>;
  readonly tags?: readonly string[];
  readonly gated?: false | 'auto' | 'manual';
  /** Only who has it is let in. */
  readonly token?: string;
}

export interface SeenRequest {
  readonly host: 'hub' | 'cdn';
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** Does something else than answering. @returns whether it has */
export type Fault = (seen: SeenRequest, response: ServerResponse, body: Buffer | undefined) => boolean;

/** What begins to be in LFS, in bytes. */
const LFS_FROM = 4096;

/**
 * Answers as the hub's API does (huggingface_hub's and huggingface.js's requests, and what they read of the replies): revisions, trees in
 * pages, `resolve` with ETag, X-Repo-Commit, X-Linked-Etag and X-Linked-Size, ranges, and large files behind a redirection to another port.
 */
export class HubServer {
  readonly seen: SeenRequest[] = [];
  /** Entries of a page of a listing. */
  pageSize = 1000;
  fault: Fault | undefined;
  private readonly repositories: Readonly<Record<string, ServedRepository>>;
  private readonly hub: Server;
  private readonly cdn: Server;

  private constructor(repositories: Readonly<Record<string, ServedRepository>>) {
    this.repositories = repositories;
    this.hub = createServer((request, response) => {
      this.answer('hub', request, response);
    });
    this.cdn = createServer((request, response) => {
      this.answer('cdn', request, response);
    });
  }

  static async start(repositories: Readonly<Record<string, ServedRepository>>): Promise<HubServer> {
    const server = new HubServer(repositories);
    for (const each of [server.hub, server.cdn]) {
      await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
    }
    return server;
  }

  get endpoint(): string {
    return address(this.hub);
  }

  get cdnHost(): string {
    // Another name, not another port alone, is what Python's library knows another host by.
    return address(this.cdn).replace('http://127.0.0.1', 'localhost');
  }

  async stop(): Promise<void> {
    for (const each of [this.hub, this.cdn]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  }

  private answer(host: SeenRequest['host'], request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    const seen: SeenRequest = { host, method, path: decodeURIComponent(url), headers };
    this.seen.push(seen);
    const { pathname, searchParams } = new URL(url, 'http://x');
    const body = this.bodyAt(host, pathname);
    if (this.fault?.(seen, response, body) === true) return;
    if (host === 'cdn') {
      sendFile(request, response, body, { etag: '"of-the-cdn"' });
      return;
    }
    const [, name = '', action = '', rest = ''] =
      /^\/api\/((?:models|datasets)\/[\w.-]+(?:\/[\w.-]+)?)\/(revision|tree)\/(.+)$/.exec(pathname) ?? [];
    if (name !== '') {
      this.answerApi(request, response, { name, action, rest: rest.split('/'), searchParams });
      return;
    }
    this.resolve(request, response, pathname, body);
  }

  private answerApi(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { name: string; action: string; rest: readonly string[]; searchParams: URLSearchParams },
  ): void {
    const repository = this.repositories[asked.name];
    if (!this.admits(request, response, repository)) return;
    const revision = decodeURIComponent(asked.rest[0]!);
    const files = filesAt(repository, revision);
    if (files === undefined) {
      refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
      return;
    }
    const commit = commitOf(files);
    if (asked.action === 'revision') {
      const { gated = false, tags = [] } = repository;
      const id = asked.name.replace(/^\w+\//, '');
      sendJson(response, {
        _id: 'x',
        id,
        sha: commit,
        gated,
        tags,
        private: false,
        lastModified: '2026-01-01T00:00:00.000Z',
      });
      return;
    }
    const folder = asked.rest.slice(1).map(decodeURIComponent).join('/');
    const recursive = asked.searchParams.get('recursive') === 'true';
    const entries = treeOf(files, folder, recursive);
    if (folder !== '' && entries.length === 0) {
      refuse(response, 404, 'EntryNotFound', `${folder} does not exist`);
      return;
    }
    const from = Number(asked.searchParams.get('cursor') ?? 0);
    const next = new URL(request.url!, this.endpoint);
    next.searchParams.set('cursor', String(from + this.pageSize));
    if (from + this.pageSize < entries.length) response.setHeader('Link', `<${next.href}>; rel="next"`);
    sendJson(response, entries.slice(from, from + this.pageSize));
  }

  private resolve(
    request: IncomingMessage,
    response: ServerResponse,
    pathname: string,
    body: Buffer | undefined,
  ): void {
    const found = RESOLVE.exec(pathname);
    const name = `${found?.[1] === undefined ? 'models' : 'datasets'}/${found?.[2] ?? ''}`;
    const repository = this.repositories[name];
    if (!this.admits(request, response, repository)) return;
    if (body === undefined) {
      refuse(response, 404, 'EntryNotFound', 'Entry not found');
      return;
    }
    response.setHeader('X-Repo-Commit', commitOf(filesAt(repository, decodeURIComponent(found![3]!))!));
    if (body.length < LFS_FROM) {
      sendFile(request, response, body, { etag: `"${gitHash(body)}"` });
      return;
    }
    response.setHeader('X-Linked-Etag', `"${sha256(body)}"`);
    response.setHeader('X-Linked-Size', body.length);
    response.setHeader('ETag', `"${gitHash(Buffer.from('a pointer'))}"`);
    response.setHeader('Location', `http://${this.cdnHost}${pathname}?signed=yes`);
    response.writeHead(302).end();
  }

  private admits(
    request: IncomingMessage,
    response: ServerResponse,
    repository: ServedRepository | undefined,
  ): repository is ServedRepository {
    const { authorization } = request.headers;
    if (repository === undefined) {
      refuse(response, authorization === undefined ? 401 : 404, 'RepoNotFound', 'Repository not found');
      return false;
    }
    if (repository.token === undefined || authorization === `Bearer ${repository.token}`) return true;
    const status = authorization === undefined ? 401 : 403;
    // A server may repeat what it was sent.
    refuse(response, status, 'GatedRepo', `Access is restricted. ${authorization ?? 'Please log in.'}`);
    return false;
  }

  private bodyAt(host: SeenRequest['host'], pathname: string): Buffer | undefined {
    const found = RESOLVE.exec(pathname);
    if (found === null) return undefined;
    const repository = this.repositories[`${found[1] === undefined ? 'models' : 'datasets'}/${found[2]!}`];
    const files = repository && filesAt(repository, decodeURIComponent(found[3]!));
    const content = files?.[decodeURIComponent(found[4]!)];
    return content === undefined || (host === 'cdn' && content.length < LFS_FROM) ? undefined : Buffer.from(content);
  }
}

const RESOLVE = /^\/(datasets\/)?([\w.-]+(?:\/[\w.-]+)?)\/resolve\/([^/]+)\/(.+)$/;

/** Of a state of a repository: made of what it holds. */
export function commitOf(files: ServedRepository['files']): string {
  const hash = createHash('sha1');
  for (const [name, content] of Object.entries(files)) hash.update(name).update('\0').update(content).update('\0');
  return hash.digest('hex');
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Git's hash of a file (`git hash-object`). */
export function gitHash(bytes: Buffer | string): string {
  const buffer = Buffer.from(bytes);
  return createHash('sha1').update(`blob ${buffer.length}\0`).update(buffer).digest('hex');
}

export function etagOf(content: string | Buffer): string {
  return content.length < LFS_FROM ? gitHash(content) : sha256(content);
}

function filesAt(repository: ServedRepository, revision: string): ServedRepository['files'] | undefined {
  const all: Readonly<Record<string, ServedRepository['files'] | undefined>> = {
    main: repository.files,
    ...repository.revisions,
  };
  const found = all[revision];
  return found ?? Object.values(all).find((files) => files && commitOf(files) === revision);
}

function treeOf(files: ServedRepository['files'], folder: string, recursive: boolean): readonly object[] {
  const inFolder = Object.keys(files).filter((name) => folder === '' || name.startsWith(`${folder}/`));
  const folders = new Set<string>();
  const entries: object[] = [];
  for (const name of inFolder) {
    const rest = name.slice(folder === '' ? 0 : folder.length + 1);
    const below = rest.indexOf('/');
    if (below >= 0) folders.add(name.slice(0, name.length - rest.length + below));
    if (below >= 0 && !recursive) continue;
    const content = files[name]!;
    const { length: size } = Buffer.from(content);
    const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\n`);
    entries.push({
      type: 'file',
      path: name,
      size,
      oid: size < LFS_FROM ? gitHash(content) : gitHash(pointer),
      ...(size >= LFS_FROM && { lfs: { oid: sha256(content), size, pointerSize: pointer.length } }),
    });
  }
  return [...[...folders].map((path) => ({ type: 'directory', path, oid: 'f'.repeat(40), size: 0 })), ...entries];
}

/** A file, or the part of it that is asked for. */
export function sendFile(
  request: Pick<IncomingMessage, 'headers'>,
  response: ServerResponse,
  body: Buffer | undefined,
  { etag }: { readonly etag: string },
): void {
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  const { range, 'if-range': ifRange } = request.headers;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || (ifRange !== undefined && ifRange !== etag)) {
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
    return;
  }
  const from = Number(first);
  const to = last === '' ? body.length - 1 : Math.min(Number(last), body.length - 1);
  if (from >= body.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${body.length}` }).end();
    return;
  }
  const part = body.subarray(from, to + 1);
  const headers = { 'Content-Range': `bytes ${from}-${to}/${body.length}`, 'Content-Length': part.length };
  response.writeHead(206, headers).end(part);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'X-Error-Code': code,
    'X-Error-Message': message,
  });
  response.end(JSON.stringify({ error: message }));
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
