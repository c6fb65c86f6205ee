import { UNIFORM } from '../../experiment/structure.ts';
import type { StructureScore } from '../../experiment/structureSchema.ts';
import { structureName } from '../../experiment/structureNames.ts';
import type { NamedStructure } from './plan.ts';

/** What a search for masks is compared with when nobody says: the published score, and that which it starts from. */
export function defaultStructureBaselines(score: StructureScore, name: string): readonly NamedStructure[] {
  const wanda: StructureScore = { kind: 'method', method: 'wanda-sp' };
  const scores = score.kind === 'method' && score.method === 'wanda-sp' ? [wanda] : [wanda, score];
  return scores.map((one) => ({
    name: structureName(one, name, UNIFORM),
    structure: { kind: 'scored', score: one, rates: UNIFORM },
  }));
}
