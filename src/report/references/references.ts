import { DATA_REFERENCES } from './dataReferences.ts';
import { METHOD_REFERENCES } from './methodReferences.ts';
import { MODEL_REFERENCES } from './modelReferences.ts';
import type { Reference } from './reference.ts';

/** Everything that a report can cite. */
export const REFERENCES = { ...METHOD_REFERENCES, ...DATA_REFERENCES, ...MODEL_REFERENCES } as const;

export type ReferenceKey = keyof typeof REFERENCES;

export function referenceOf(key: ReferenceKey): Reference {
  return REFERENCES[key];
}
