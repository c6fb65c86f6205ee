import type * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import { plainLine } from '../base/plainText.ts';
import { schemaProblem } from '../base/schemaProblem.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import type { Insertion } from './metricInsertion.ts';

/** What a tool does beside reading: nothing, computing on this machine, or changing a file. Reading alone is allowed without a word. */
export type AgentAccess = 'read' | 'evaluate' | 'write';

/** What tools work in and through. They see nothing else: no environment, no network, no settings, no keys. */
export interface AgentContext {
  /** Workspace folder, absolute: files are named from there, and none outside of it is opened for what an agent names. */
  readonly root: string;
  /** What else a file of the workspace may name as model or text. Absent where a person is asked each time, and sees what is read. */
  readonly folders?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: AgentProgress) => void) | undefined;
  /** Evaluates a plan whose files may be read. Absent where nobody has allowed it. */
  readonly evaluate?:
    ((plan: EvaluationPlan, context: AgentContext) => Promise<readonly EvaluationResult[]>) | undefined;
  /** Changes a file. Absent where nobody has allowed it. */
  readonly write?: ((file: string, insertion: Insertion) => Promise<void>) | undefined;
}

export interface AgentProgress {
  readonly done: number;
  readonly total: number;
  readonly message: string;
}

/** Something that a language model may ask of Espalier. */
export interface AgentTool extends ToolWords {
  /** What it is called with. */
  readonly input: z.ZodType;
  /** What a person agrees to, in one line, where they are asked. @throws EspalierError `agents/input` */
  readonly asks: (input: unknown) => string;
  /** @returns plain data. @throws EspalierError `agents/input`, and what it fails with */
  readonly answer: (input: unknown, context: AgentContext) => Promise<object>;
}

interface ToolWords {
  /** Of letters and underscores: what protocols take. */
  readonly name: string;
  readonly title: string;
  /** For the language model: what it gives, and when it is of use. */
  readonly description: string;
  readonly access: AgentAccess;
}

/** A tool of what it does with input that is as its schema says. */
export function agentTool<Schema extends z.ZodType>({
  asks,
  answer,
  ...tool
}: ToolWords & {
  readonly input: Schema;
  readonly asks: (input: z.infer<Schema>) => string;
  readonly answer: (input: z.infer<Schema>, context: AgentContext) => Promise<object>;
}): AgentTool {
  const read = (input: unknown): z.infer<Schema> => {
    const parsed = tool.input.safeParse(input);
    if (parsed.success) return parsed.data;
    throw inputError(tool.name, parsed.error, input);
  };
  return {
    ...tool,
    asks: (input) => asks(read(input)),
    answer: async (input, context) => answer(read(input), context),
  };
}

function inputError(name: string, error: z.ZodError, input: unknown): EspalierError {
  const { where, expected, actual } = schemaProblem(error, input);
  return new EspalierError({
    code: 'agents/input',
    operation: `reading what ${name} is called with`,
    expected: `${expected}${where === '' ? '' : ` in ${where}`}`,
    actual: plainLine(actual),
    remedy: 'Call it again with what its schema says.',
  });
}
