import { EspalierError, toErrorData } from '../base/errors.ts';
import { plainLine } from '../base/plainText.ts';
import type { AgentContext, AgentTool } from './agentTool.ts';
import { TOOLS } from './tools.ts';

/** What a call came to: data, or an error with its code. */
export interface AgentAnswer {
  readonly isError: boolean;
  /** JSON. */
  readonly text: string;
}

/** Longer answers are refused: what asks has to read them. In UTF-16 units. */
const LONGEST = 400_000;

/**
 * Answers a call, whatever it holds: an unknown tool, input of another form, what is not allowed and what fails are answers with the
 * error's code.
 *
 * @param name and `input` as the agent gave them
 */
export async function callTool(name: string, input: unknown, context: AgentContext): Promise<AgentAnswer> {
  try {
    const text = JSON.stringify(await answer(toolOf(name), input ?? {}, context));
    if (text.length > LONGEST) throw tooLong(name, text.length);
    return { isError: false, text };
  } catch (thrown) {
    const { code, operation, expected, actual, remedy } = toErrorData(thrown, `answering ${plainLine(name, 60)}`);
    return { isError: true, text: JSON.stringify({ error: { code, operation, expected, actual, remedy } }) };
  }
}

/** @throws EspalierError `agents/input` */
export function toolOf(name: string): AgentTool {
  const tool = TOOLS.find((each) => each.name === name);
  if (tool) return tool;
  throw new EspalierError({
    code: 'agents/input',
    operation: 'finding a tool for an agent',
    expected: `one of ${TOOLS.map((each) => each.name).join(', ')}`,
    actual: plainLine(name, 60),
    remedy: 'Ask for the list of tools.',
  });
}

async function answer(tool: AgentTool, input: unknown, context: AgentContext): Promise<object> {
  const { name, access } = tool;
  if ((access === 'evaluate' && !context.evaluate) || (access === 'write' && !context.write)) {
    throw new EspalierError({
      code: 'agents/not-allowed',
      operation: `answering ${name}`,
      expected: access === 'write' ? 'leave to change files' : 'leave to compute',
      actual: 'reading alone is allowed',
      remedy: `A person may start it with espalier mcp --allow ${access}.`,
    });
  }
  return tool.answer(input, context);
}

function tooLong(name: string, length: number): EspalierError {
  return new EspalierError({
    code: 'agents/input',
    operation: `answering ${name}`,
    expected: `an answer of at most ${LONGEST} characters`,
    actual: `${length}`,
    remedy: 'Ask for less at once.',
  });
}
