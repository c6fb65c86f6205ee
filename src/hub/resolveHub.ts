import { EspalierError } from '../base/errors.ts';
import { isHubReference } from '../experiment/hubReference.ts';
import { findCached } from './cachedReference.ts';
import type { HubEnvironment } from './hubEnvironment.ts';
import type { HubSession } from './locate.ts';
import { locate, referenceTo } from './locate.ts';

/** What a plan of any kind works on. */
export interface HubInputs {
  readonly model?: string;
  readonly text?: string;
  readonly calibration?: string;
  readonly gradients?: string;
  readonly train?: string;
  readonly validate?: string;
  readonly test?: string;
}

const INPUTS = ['model', 'text', 'calibration', 'gradients', 'train', 'validate', 'test'] as const;

/** Whether a plan names anything by its name on the hub. */
export function namesHub(plan: HubInputs): boolean {
  return INPUTS.some((name) => isHubReference(plan[name] ?? ''));
}

/**
 * A plan with paths in the place of names on the hub: the engine knows none. One after the other, so that a person is asked one thing at a
 * time, and the same name is one commit everywhere.
 *
 * @throws EspalierError as {@link locate}
 */
export async function resolveHub<Plan extends HubInputs>(plan: Plan, session: HubSession): Promise<Plan> {
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

/** A plan with paths in the place of those names that the cache knows. Nobody is asked; what is missing, or none, stays as it is. */
export async function cachedHub<Plan extends HubInputs>(
  plan: Plan,
  environment: Pick<HubEnvironment, 'cache'>,
): Promise<Plan> {
  const resolved = { ...plan };
  for (const name of INPUTS) {
    const said = plan[name];
    if (said === undefined || !isHubReference(said)) continue;
    const found = await findCachedText(said, name === 'model' ? 'model' : 'text', environment);
    if (found !== undefined) Object.assign(resolved, { [name]: found });
  }
  return resolved;
}

/** What is wrong with a name is told when it is meant to run. */
async function findCachedText(
  said: string,
  what: 'model' | 'text',
  environment: Pick<HubEnvironment, 'cache'>,
): Promise<string | undefined> {
  try {
    const found = await findCached(environment, referenceTo(said, what));
    return 'path' in found ? found.path : undefined;
  } catch (thrown) {
    if (thrown instanceof EspalierError) return undefined;
    throw thrown;
  }
}
