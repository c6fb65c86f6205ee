import { EspalierError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { Served as OpenModel } from '../experiment/generationSchema.ts';
import type { Served, TokenScore } from './served.ts';
import { servedTexts } from './servedTexts.ts';

/**
 * A model that is open in an engine, as the server asks it.
 *
 * @param names what requests may call it
 */
export function engineServed(engine: Engine, model: OpenModel, names: readonly string[]): Served {
  const { served } = model;
  return {
    names,
    fingerprint: model.fingerprint,
    length: model.length,
    vocabulary: model.vocabulary,
    ends: new Set(model.ends),
    ...servedTexts(engine.tokenizerOf(served)),
    async score(sequences, top, signal) {
      const scored = await engine.score({ served, sequences, top }, { signal });
      return scored.map((tokens, index) => {
        const { ids, from } = sequences[index]!;
        return tokens.map((token, place) => checked({ id: ids[from + place]!, ...token }));
      });
    },
    async generate({ prompts, most, stops, sampling, top }, onToken, signal, pause) {
      const asked = { served, prompts: prompts.map((ids) => [...ids]), most, stops, ...sampling, alternatives: top };
      await engine.generate(asked, {
        signal,
        pause,
        onToken({ prompt, id, logProbability = 0, alternatives = [] }) {
          onToken(prompt, { id, logProbability, top: alternatives });
        },
      });
    },
  };
}

/** JSON has no infinity. */
const LEAST = -1e9;

/** What a client would read as nothing, and leave out of a sum. @throws EspalierError `evaluation/not-finite` */
function checked({ id, logProbability, top }: TokenScore): TokenScore {
  if ([logProbability, ...top.map((ranked) => ranked.logProbability)].some(Number.isNaN)) throw notFinite(id);
  const finite = <Value extends { readonly logProbability: number }>(value: Value): Value =>
    value.logProbability < LEAST ? { ...value, logProbability: LEAST } : value;
  return finite({ id, logProbability, top: top.map(finite) });
}

function notFinite(id: number): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: `taking the log-probability of token ${id}`,
    expected: 'a number',
    actual: 'none',
    remedy: 'Prune less, or use --precision float32: some numbers have become too large.',
  });
}
