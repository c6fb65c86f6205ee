import type { SearchConflict } from '../../conflict.ts';
import type { EvoPressSettings } from './settings.ts';

/** Settings of a search by EvoPress that are right one by one and wrong together: each round has to leave fewer, on more of the text. */
export function evoPressConflict(settings: EvoPressSettings): SearchConflict | undefined {
  const { offspring, rounds, survivors } = settings;
  const shorter = rounds.findIndex((blocks, round) => blocks < (rounds[round - 1] ?? 0));
  if (shorter !== -1) {
    return {
      settings: ['survivors', 'rounds'],
      message: `\`rounds\` measure on more and more of the text, and ${rounds[shorter]} comes after ${rounds[shorter - 1]}`,
      value: [...rounds].sort((a, b) => a - b),
    };
  }
  const value = fittingSurvivors(settings);
  if (survivors.length !== rounds.length) {
    return {
      settings: ['rounds', 'survivors'],
      message: `\`rounds\` and \`survivors\` have one number for each round of selection, not ${rounds.length} and ${survivors.length}`,
      value,
    };
  }
  const more = survivors.findIndex((count, round) => count > (survivors[round - 1] ?? offspring));
  if (more !== -1) {
    return {
      settings: ['offspring', 'survivors'],
      message: `a round of selection leaves at most as many as it has: of ${survivors[more - 1] ?? offspring} not ${survivors[more]} can be \`survivors\``,
      value,
    };
  }
  if (survivors.at(-1) === 1) return undefined;
  return {
    settings: ['rounds', 'survivors'],
    message: `the last round of selection leaves one, the next parent, not ${survivors.at(-1)}`,
    value,
  };
}

/** As many as the rounds, none more than the one before, and one in the end; else as they are said. */
function fittingSurvivors({ offspring, rounds, survivors }: EvoPressSettings): readonly number[] {
  return rounds.map((_, round) =>
    round === rounds.length - 1 ? 1 : Math.min(offspring, ...survivors.slice(0, round + 1)),
  );
}
