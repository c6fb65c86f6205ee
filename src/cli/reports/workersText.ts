import type { SeenWorker } from '../../experiment/seenWorker.ts';

/** How many of the workers of a queue do what, as "3 answer, 41 a minute · 1 refuses": for the status line. */
export function workersText(workers: readonly SeenWorker[]): string {
  const counted = STATES.flatMap((state) => {
    const those = workers.filter((worker) => worker.state === state);
    if (those.length === 0) return [];
    const { one, more } = WORDS[state];
    return `${those.length} ${those.length === 1 ? one : more}${state === 'ours' ? paceOf(those) : ''}`;
  });
  return counted.length === 0 ? 'no workers' : counted.join(' · ');
}

/** Changes when a worker comes, goes, or does something else. */
export function workersKey(workers: readonly SeenWorker[]): string {
  return workers.map(({ id, state }) => `${id} ${state}`).join('\n');
}

const WORDS: Readonly<Record<SeenWorker['state'], { readonly one: string; readonly more: string }>> = {
  ours: { one: 'answers', more: 'answer' },
  opening: { one: 'opens the model', more: 'open the model' },
  idle: { one: 'is idle', more: 'are idle' },
  elsewhere: { one: 'is elsewhere', more: 'are elsewhere' },
  refused: { one: 'refuses', more: 'refuse' },
  lost: { one: 'is not heard of', more: 'are not heard of' },
};
const STATES = Object.keys(WORDS) as SeenWorker['state'][];

function paceOf(workers: readonly SeenWorker[]): string {
  const perMinute = workers.reduce((sum, worker) => sum + worker.perMinute, 0);
  return perMinute === 0 ? '' : `, ${perMinute.toPrecision(3)} a minute`;
}
