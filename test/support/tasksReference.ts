import { existsSync } from 'node:fs';
import path from 'node:path';
import { SHARED } from './peer.ts';
import { hasPython, python } from './python.ts';

/** The oracle of the tasks and real documents, where they are. */
const ORACLE = path.join(SHARED, 'peer/tasks_reference.py');
export const TASK_DOCUMENTS = path.join(SHARED, 'data/tasks');

export const hasTasksReference = hasPython && existsSync(ORACLE) && existsSync(TASK_DOCUMENTS);

/** What a script prints that has the oracle as `oracle`: its prompts need no PyTorch, which is not loaded. */
export function askTasksReference(script: string, input: unknown): unknown {
  return python(
    `import types
for name in ('torch', 'reference'):
    sys.modules[name] = types.ModuleType(name)
sys.modules['torch'].no_grad = lambda: lambda function: function
sys.path.insert(0, ${JSON.stringify(path.dirname(ORACLE))})
import tasks_reference as oracle
${script}`,
    input,
  );
}
