// Which end-to-end stories one run of CI tells: each is a day's work of its own in a real VS Code, and all of them take ten minutes.
import { readdirSync } from 'node:fs';
import { orderBySeed, withinBudget } from './withinBudget.mjs';

/** Seconds of each on two cores. `test/scripts/stories.test.ts` wants each story here. */
export const SECONDS = {
  comparing: 40,
  crashing: 20,
  editing: 15,
  evaluating: 45,
  hub: 50,
  looking: 20,
  queue: 170,
  recovering: 60,
  searching: 60,
  structure: 80,
  tasks: 60,
  tree: 40,
  trusting: 10,
};

/** What stories may take of a run of CI. */
export const BUDGET = 240;

/** What everything else stands on, told in every run. */
const ALWAYS = ['trusting', 'editing', 'evaluating'];

export function storyNames() {
  return readdirSync('test/e2e/stories').map((file) => file.replace(/\.ts$/, ''));
}

/** Those that are always told, the first that the seed says, however long it is, so that each has its turn, and what still fits. */
export function chooseStories(seed, names = storyNames()) {
  const order = orderBySeed(
    seed,
    names.filter((name) => !ALWAYS.includes(name)),
  );
  return withinBudget(order, [...ALWAYS, order[0]], BUDGET, (name) => SECONDS[name]);
}
