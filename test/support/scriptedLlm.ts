import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rng } from '../../src/base/rng.ts';
import { asksForFormulas, formulaReply, FORMULA_STYLES } from './formulaReplies.ts';
import type { FormulaStyle } from './formulaReplies.ts';

/**
 * An OpenAI-compatible server that answers like an imperfect language model, from a seed: it mutates and crosses the configurations that
 * a prompt shows, and often gets something wrong. What goes wrong depends on the prompt and on how often it was asked that before, and on nothing
 * else, so that a run which is killed and goes on meets the same faults.
 */
export class ScriptedLlm {
  readonly requests: ScriptedRequest[] = [];
  private readonly options: ScriptedOptions;
  private readonly server: Server;
  private readonly times = new Map<string, number>();
  private readonly waiting: (() => void)[] = [];

  private constructor(options: ScriptedOptions) {
    this.options = options;
    this.server = createServer((request, response) => {
      void this.answer(request, response);
    });
  }

  static async start(options: ScriptedOptions = {}): Promise<ScriptedLlm> {
    const llm = new ScriptedLlm(options);
    await new Promise<void>((resolve) => llm.server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return llm;
  }

  /** Base URL for `endpoint`. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Idempotency keys of questions that were asked again after they had been answered: those that were paid for twice. */
  get askedTwice(): readonly string[] {
    const answered = new Set<string>();
    const twice = new Set<string>();
    for (const { idempotencyKey, answered: whole } of this.requests) {
      if (answered.has(idempotencyKey)) twice.add(idempotencyKey);
      if (whole) answered.add(idempotencyKey);
    }
    return [...twice];
  }

  /** Resolves when somebody asks, before the answer is sent. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    // Whoever sets an endpoint up asks which models there are, and for one word.
    if (request.method === 'GET') {
      sendJson(response, { object: 'list', data: [{ id: 'scripted' }] });
      return;
    }
    const asked = JSON.parse(body) as { model: string; stream?: boolean; messages: readonly { content: string }[] };
    const prompt = asked.messages.map(({ content }) => content).join('\n');
    if (prompt.includes('single word')) {
      sendJson(response, { choices: [{ index: 0, message: { role: 'assistant', content: 'OK' } }] });
      return;
    }
    const idempotencyKey = String(request.headers['idempotency-key'] ?? '');
    // Runs do not know of each other.
    const place = `${idempotencyKey.replace(/-\d+$/, '')} ${prompt}`;
    const times = this.times.get(place) ?? 0;
    this.times.set(place, times + 1);
    const rng = rngOf(this.options.seed ?? 0, prompt, times);
    const fault = (this.options.fault ?? seededFault(this.options.share ?? 0.5))({
      index: this.requests.length,
      prompt,
      times,
      rng,
    });
    const record: ScriptedRequest = {
      idempotencyKey,
      prompt,
      fault,
      authorization: request.headers.authorization,
      body,
      answered: false,
    };
    this.requests.push(record);
    for (const tell of this.waiting.splice(0)) tell();
    response.on('error', () => undefined);
    const said = rngOf(this.options.seed ?? 0, prompt, -1);
    const text = asksForFormulas(prompt)
      ? formulaReply(prompt, said, this.options.style ?? FORMULA_STYLES[said.integer(FORMULA_STYLES.length)]!)
      : replyTo(prompt, said, fault);
    const about = {
      model: asked.model,
      usage: { prompt_tokens: prompt.length >> 2, completion_tokens: text.length >> 2 },
    };
    await FAULTS[fault]({ request, response, text, about, options: this.options, rng, record });
  }
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export interface ScriptedOptions {
  readonly seed?: number;
  /** Share of the answers in which something is wrong. */
  readonly share?: number;
  /** What goes wrong, where not by chance. */
  readonly fault?: (about: FaultContext) => Fault;
  /** How formulas are written, where not by chance. */
  readonly style?: FormulaStyle;
  /** Milliseconds between the parts of a slow stream, and before every answer. */
  readonly slowness?: number;
  readonly delay?: number;
  readonly port?: number;
}

export interface FaultContext {
  /** Requests before this one. */
  readonly index: number;
  readonly prompt: string;
  /** How often the same run asked the very same before. */
  readonly times: number;
  readonly rng: Rng;
}

export interface ScriptedRequest {
  readonly idempotencyKey: string;
  readonly prompt: string;
  readonly fault: Fault;
  readonly authorization: string | undefined;
  readonly body: string;
  /** Whether the whole reply was sent. */
  answered: boolean;
}

/** What a reply's text has wrong in it; its way there is as it should be. */
const TEXT_FAULTS = [
  'none',
  'chatty',
  'wrong-length',
  'wrong-mean',
  'far-mean',
  'unclosed',
  'words',
  'percent',
  'too-few',
  'repeated',
  'empty',
] as const;

/** What is right in a reply, in another style than the prompt asks for. */
export const TEXT_STYLES = [
  'trailing-comma',
  'comments',
  'latex',
  'quoted',
  'numbered',
  'full-width',
  'blanks',
  'labels',
  'block-lines',
  'thinking',
  'unopened-thinking',
  'range',
  'draft',
  'table',
] as const;

export type Fault =
  | (typeof TEXT_FAULTS)[number]
  | (typeof TEXT_STYLES)[number]
  // The way there goes wrong, not the text.
  | 'status-429'
  | 'status-500'
  | 'hang'
  | 'slow'
  | 'truncated'
  | 'silent'
  | 'reset'
  | 'garbage'
  | 'html'
  | 'whole'
  | 'no-usage'
  | 'echo-key'
  | 'echo-key-in-reply'
  | 'echo-key-in-event'
  | 'refuse';

/** Those that a second try may mend, and what a model gets wrong: by chance, from the seed. */
const BY_CHANCE: readonly Fault[] = [
  ...TEXT_FAULTS.slice(1),
  ...(['status-429', 'status-500', 'slow', 'truncated', 'reset', 'garbage', 'whole', 'no-usage'] as const),
];

function seededFault(share: number): (about: FaultContext) => Fault {
  return ({ rng }) => (rng.uniform() < share ? BY_CHANCE[rng.integer(BY_CHANCE.length)]! : 'none');
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly text: string;
  readonly about: { readonly model: string; readonly usage: object };
  readonly options: ScriptedOptions;
  readonly rng: Rng;
  readonly record: ScriptedRequest;
}

const stream = async (exchange: Exchange): Promise<void> => {
  await pause(exchange.options.delay ?? 0);
  await streamed(exchange, { pieces: 4 });
};

const FAULTS: Readonly<Record<Fault, (exchange: Exchange) => Promise<void>>> = {
  ...(Object.fromEntries([...TEXT_FAULTS, ...TEXT_STYLES].map((name) => [name, stream])) as Record<
    (typeof TEXT_FAULTS)[number] | (typeof TEXT_STYLES)[number],
    typeof stream
  >),
  'status-429': (exchange) => refuse(exchange, 429, 'Rate limit reached', { 'retry-after-ms': '5' }),
  'status-500': (exchange) => refuse(exchange, 500, 'The server had an error'),
  refuse: (exchange) => refuse(exchange, 400, 'No such model'),
  'echo-key': (exchange) =>
    refuse(exchange, 401, `Incorrect API key provided: ${exchange.request.headers.authorization ?? 'none'}`),
  'echo-key-in-reply': (exchange) =>
    streamed(
      { ...exchange, text: `You sent ${exchange.request.headers.authorization ?? ''}\n${exchange.text}` },
      { pieces: 7 },
    ),
  // Clients that know of threads log what they cannot read of one.
  'echo-key-in-event': ({ request, response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: thread.run\ndata: {${request.headers.authorization ?? ''}\n\n`);
    return Promise.resolve();
  },
  hang: () => Promise.resolve(),
  slow: (exchange) => streamed(exchange, { pieces: 10, pause: exchange.options.slowness ?? 2 }),
  truncated: (exchange) => streamed(exchange, { pieces: 8, cutAfter: 4 }),
  silent: (exchange) => streamed(exchange, { pieces: 8, silentAfter: 4 }),
  reset: ({ response }) => {
    response.destroy();
    return Promise.resolve();
  },
  garbage: ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: {"choices": [}\n\ndata: [DONE]\n\n');
    return Promise.resolve();
  },
  html: ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<html><body>It works!</body></html>');
    return Promise.resolve();
  },
  whole: ({ response, text, about, record }) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }];
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify({ ...about, choices }), () => (record.answered = true));
    return Promise.resolve();
  },
  'no-usage': (exchange) => streamed({ ...exchange, about: { ...exchange.about, usage: {} } }, { pieces: 3 }),
};

interface Streaming {
  readonly pieces: number;
  /** Milliseconds. */
  readonly pause?: number;
  /** The connection is cut after this many pieces, or says nothing more. */
  readonly cutAfter?: number;
  readonly silentAfter?: number;
}

async function streamed({ response, text, about, record }: Exchange, how: Streaming): Promise<void> {
  const { model, usage } = about;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (part: object): void => {
    response.write(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model, ...part })}\n\n`);
  };
  const size = Math.max(1, Math.ceil(text.length / how.pieces));
  for (let piece = 0; piece * size < text.length; piece++) {
    if (piece === how.cutAfter) {
      // What was written is on its way then.
      await pause(5);
      response.destroy();
      return;
    }
    if (piece === how.silentAfter) return;
    const content = text.slice(piece * size, (piece + 1) * size);
    send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
    if (how.pause !== undefined) await pause(how.pause);
    if (response.destroyed) return;
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage });
  response.end('data: [DONE]\n\n', () => (record.answered = true));
}

function refuse({ response }: Exchange, status: number, message: string, headers: object = {}): Promise<void> {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message, type: 'error', code: null } }));
  return Promise.resolve();
}

/** What a language model would say to a prompt of ours: configurations near the best that it is shown, or near the mean. */
export function replyTo(prompt: string, rng: Rng, fault: Fault): string {
  const count = Number(/still missing: (\d+)/.exec(prompt)?.[1] ?? /as many as (\d+)/.exec(prompt)?.[1] ?? 1);
  const blocks = Number(/exactly (\d+) (?:numbers|decimals)/.exec(prompt)?.[1] ?? 1);
  const mean = Number(/mean (?:is )?([\d.]*\d)/.exec(prompt)?.[1] ?? 0.5);
  const shown = [...prompt.matchAll(/^\[([\d., ]+)\] [\d.e+]+$/gm)].map(([, list]) => list!.split(',').map(Number));
  const best = shown.slice(0, 5);
  const lists = Array.from({ length: fault === 'too-few' ? Math.max(1, count >> 1) : count }, () => {
    const from = best.length === 0 ? new Array<number>(blocks).fill(mean) : best[rng.integer(best.length)]!;
    const other = best.length === 0 || rng.uniform() < 0.5 ? from : best[rng.integer(best.length)]!;
    const moved = from.map((rate, i) => (rng.uniform() < 0.5 ? rate : other[i]!) + 0.04 * rng.normal());
    const off = moved.reduce((sum, rate) => sum + rate, 0) / blocks - mean;
    return moved.map((rate) => Math.min(1, Math.max(0, rate - off)));
  });
  return spoil(lists, fault);
}

function spoil(lists: Lists, fault: Fault): string {
  return (SPOILED[fault] ?? ((right: Lists) => lines(right, print)))(lists);
}

type Lists = readonly (readonly number[])[];

/** What a text fault makes of lists that are right. */
const SPOILED: Readonly<Partial<Record<Fault, (lists: Lists) => string>>> = {
  chatty: (lists) =>
    `Sure! Here are ${lists.length} configurations:\n\n\`\`\`json\n${lines(lists, print)}\n\`\`\`\nLet me know if you need more.`,
  'wrong-length': (lists) => lines(lists, (rates, i) => print(i % 2 === 0 ? rates.slice(1) : [...rates, 0.5])),
  'wrong-mean': (lists) => lines(lists, (rates) => print(rates.map((rate) => rate + 0.03))),
  'far-mean': (lists) => lines(lists, (rates) => print(rates.map((rate) => Math.min(1, rate + 0.3)))),
  unclosed: (lists) => lines(lists, print).slice(0, -5),
  words: (lists) => lines(lists, (rates) => print(rates).replace(/, 0/, ', about 0')),
  percent: (lists) => lines(lists, (rates) => `[${rates.map((rate) => `${(100 * rate).toFixed(3)}%`).join(', ')}]`),
  repeated: (lists) => lines(lists, () => print(lists[0]!)),
  empty: () => '',

  'trailing-comma': (lists) => `[\n${lines(lists, (rates) => `  [\n    ${plain(rates, ',\n    ')},\n  ],`)}\n]`,
  comments: (lists) =>
    lines(lists, (rates, i) => `[  # configuration ${i + 1}\n${plain(rates, ',  # keep 0.9\n')}  // end\n]`),
  latex: (lists) => lines(lists, (rates, i) => `\\[ r_{${i}} = \\left[ ${plain(rates, ',\\, ')} \\right] \\]`),
  quoted: (lists) => JSON.stringify({ lists: lists.map((rates) => rates.map((rate) => rate.toFixed(5))) }),
  numbered: (lists) => lines(lists, (rates, i) => `${i + 1}. ${plain(rates, ', ')}`),
  'full-width': (lists) => lines(lists, (rates) => `【${plain(rates, '，')}】`),
  blanks: (lists) => lines(lists, (rates) => `[${plain(rates, ' ')}]`),
  labels: (lists) => lines(lists, (rates, i) => `**Configuration ${i + 1}:** ${plain(rates, ', ')} (mean as asked)`),
  'block-lines': (lists) =>
    lines(
      lists,
      (rates, i) => `### ${i + 1}\n${rates.map((rate, k) => `- Block ${k}: ${rate.toFixed(5)}`).join('\n')}\n`,
    ),
  thinking: (lists) => `<thinking>\n${drafts(lists)}\n</thinking>\n${lines(lists, print)}`,
  'unopened-thinking': (lists) => `${drafts(lists)}\n</think>\n${lines(lists, print)}`,
  range: (lists) => `Each rate is in [0, 1], as you wish:\n${lines(lists, print)}\nAll lie in [0.0, 1.0].`,
  draft: (lists) => `Draft:\n${drafts(lists)}\n\nFinal answer:\n${lines(lists, print)}`,
  table: (lists) =>
    `| # |${lists[0]!.map((_, k) => ` Block ${k} |`).join('')}\n|--|${'--|'.repeat(lists[0]!.length)}\n${lines(lists, (rates, i) => `| ${i} | ${plain(rates, ' | ')} |`)}`,
};

/** Lists that a model goes through before it answers: right as well, but no answer. */
function drafts(lists: Lists): string {
  return lines(lists, (rates) => print([...rates.slice(1), rates[0]!]));
}

function plain(rates: readonly number[], between: string): string {
  return rates.map((rate) => rate.toFixed(5)).join(between);
}

function lines(lists: Lists, show: (rates: readonly number[], index: number) => string): string {
  return lists.map(show).join('\n');
}

function print(rates: readonly number[]): string {
  return `[${rates.map((rate) => rate.toFixed(5)).join(', ')}]`;
}

function rngOf(seed: number, prompt: string, times: number): Rng {
  const hash = createHash('sha256').update(`${seed}/${times}/${prompt}`).digest();
  return new Rng(hash.readUInt32LE(0));
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function pause(milliseconds: number): Promise<void> {
  return milliseconds === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, milliseconds));
}
