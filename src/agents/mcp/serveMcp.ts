import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import * as z from 'zod';
import { VERSION } from '../../base/version.ts';
import type { AgentContext, AgentTool } from '../agentTool.ts';
import { callTool } from '../callTool.ts';
import { TOOLS } from '../tools.ts';

/** The longest message that is read, in bytes. */
const LONGEST_MESSAGE = 8 << 20;

/** What a server gives its tools: the signal is of each call. */
export type ServedContext = Omit<AgentContext, 'signal' | 'onProgress'>;

/**
 * Answers the Model Context Protocol over two streams until the one that is read ends, or the signal aborts. Calls are answered side by
 * side, but for evaluations, which wait for each other.
 *
 * @param onTrouble what the client sent that is none of the protocol
 */
export async function serveMcp(
  context: ServedContext,
  streams: { readonly input: Readable; readonly output: Writable },
  signal: AbortSignal,
  onTrouble: (error: Error) => void,
): Promise<void> {
  const { Server, StdioServerTransport, ListToolsRequestSchema, CallToolRequestSchema } =
    await import('./mcpPackage.ts');
  const server = new Server(
    { name: 'espalier', version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  const oneByOne = inTurns(context);
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS.map(describeTool) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const token = params._meta?.progressToken;
    const { isError, text } = await callTool(params.name, params.arguments, {
      ...oneByOne,
      signal: AbortSignal.any([signal, extra.signal]),
      ...(token !== undefined && {
        onProgress: ({ done, total, message }) => {
          const progress = { progressToken: token, progress: done, ...(total > 0 && { total }), message };
          void extra.sendNotification({ method: 'notifications/progress', params: progress }).catch(() => undefined);
        },
      }),
    });
    return { content: [{ type: 'text' as const, text }], isError };
  });
  server.onerror = onTrouble;
  const transport = new StdioServerTransport(streams.input, streams.output, { maxBufferSize: LONGEST_MESSAGE });
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
  });
  await server.connect(transport);
  const ended = once(streams.input, 'end').catch(() => undefined);
  const stopped = signal.aborted ? Promise.resolve() : once(signal, 'abort');
  await Promise.race([closed, ended, stopped]);
  await server.close();
}

const INSTRUCTIONS =
  'Espalier prunes language models by symbolic metrics. Find files with list_files, read one with read_experiments, look at what was found with list_runs and read_run, check a formula before it is evaluated.';

/** An engine has one device: who asks while it works waits, and may cancel meanwhile. */
function inTurns({ evaluate, ...context }: ServedContext): ServedContext {
  if (!evaluate) return context;
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...context,
    evaluate: (plan, asked) => {
      const turn = last.then(() => evaluate(plan, asked));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

function describeTool({ name, title, description, input, access }: AgentTool) {
  const inputSchema = { ...z.toJSONSchema(input, { io: 'input' }), type: 'object' as const };
  const annotations = { title, readOnlyHint: access !== 'write', destructiveHint: false, openWorldHint: false };
  return { name, title, description, inputSchema, annotations };
}
