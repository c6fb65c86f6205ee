import { isHubReference } from '../experiment/hubReference.ts';
import type { HubSession } from './locate.ts';
import { locate } from './locate.ts';

/** What a plan of any kind works on. */
interface Inputs {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly gradients?: string;
  readonly test?: string;
}

const INPUTS = ['model', 'text', 'calibration', 'gradients', 'test'] as const;

/** Whether a plan names anything by its name on the hub. */
export function namesHub(plan: Inputs): boolean {
  return INPUTS.some((name) => isHubReference(plan[name] ?? ''));
}

/**
 * A plan with paths in the place of names on the hub: the engine knows none. One after the other, so that a person is asked one thing at a
 * time, and the same name is one commit everywhere.
 *
 * @throws EspalierError as {@link locate}
 */
export async function resolveHub<Plan extends Inputs>(plan: Plan, session: HubSession): Promise<Plan> {
  const known = new Map<string, string>();
  const resolved = { ...plan };
  for (const name of INPUTS) {
    const said = plan[name];
    if (said === undefined || !isHubReference(said)) continue;
    const what = name === 'model' ? 'model' : 'text';
    const key = `${what} ${said}`;
    const found = known.get(key) ?? (await locate(said, what, session));
    known.set(key, found);
    Object.assign(resolved, { [name]: found });
  }
  return resolved;
}
