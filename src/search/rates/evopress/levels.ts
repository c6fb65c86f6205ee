import { EspalierError } from '../../../base/errors.ts';
import type { ErrorData } from '../../../base/errors.ts';
import type { Rng } from '../../../base/rng.ts';
import { configurationText } from '../configuration.ts';
import type { Configuration } from '../configuration.ts';

/**
 * What EvoPress evolves: a level for each unit, whole numbers of which a higher one removes more. A switch raises one unit and lowers another
 * that weighs the same, by one step each: so what goes in all stays what it was, exactly. Under a budget the other is lowered until the cost is met
 * again, and any two can be switched.
 */
export interface LevelSpace {
  /** Units of equal weight, by their indices. */
  readonly groups: readonly (readonly number[])[];
  readonly step: number;
  /** The highest level; the lowest is 0. */
  readonly top: number;
  /** Levels that remove what the search is to remove; the same each time where a search begins at one place. */
  readonly draw: (rng: Rng) => readonly number[];
  readonly configurationOf: (levels: readonly number[]) => Configuration;
  /** The levels with unit `down` lowered as far as a budget has room for it, after another was raised; undefined where it has none. Without a budget it falls by a step. */
  readonly lowered?: (levels: readonly number[], down: number) => readonly number[] | undefined;
  /** What it takes that something can be switched, for a person, and what to do where nothing can. */
  readonly needs: Pick<ErrorData, 'expected' | 'remedy'>;
}

/** One switch; undefined where none can be made. */
export function switched(
  levels: readonly number[],
  { groups, step, top, lowered }: LevelSpace,
  rng: Rng,
): readonly number[] | undefined {
  // Where a budget decides how far, anything that is above 0 can fall.
  const canFall = (unit: number): boolean => levels[unit]! >= (lowered ? 1 : step);
  const choices = groups.flatMap((group) => {
    const falling = group.filter(canFall);
    // A unit is no partner of its own.
    const rising = group.filter((unit) => levels[unit]! + step <= top && falling.length > (canFall(unit) ? 1 : 0));
    return rising.map((unit) => ({ unit, falling }));
  });
  if (choices.length === 0) return undefined;
  const { unit: up, falling } = choices[rng.integer(choices.length)]!;
  const partners = falling.filter((unit) => unit !== up);
  const first = rng.integer(partners.length);
  const raised = levels.map((level, unit) => (unit === up ? Math.min(top, level + step) : level));
  if (!lowered) return raised.with(partners[first]!, levels[partners[first]!]! - step);
  // Where one cannot make up for it, the next one may.
  for (let tried = 0; tried < partners.length; tried++) {
    const made = lowered(raised, partners[(first + tried) % partners.length]!);
    if (made) return made;
  }
  return undefined;
}

/**
 * An offspring: as many switches as the smaller of two draws from 1 to `most` says.
 *
 * @returns undefined where no switch can be made
 */
export function mutated(
  parent: readonly number[],
  most: number,
  space: LevelSpace,
  rng: Rng,
): readonly number[] | undefined {
  const count = 1 + Math.min(rng.integer(most), rng.integer(most));
  let levels: readonly number[] | undefined = parent;
  for (let done = 0; done < count && levels; done++) levels = switched(levels, space, rng);
  return levels;
}

/** Equal for equal levels only. */
export function levelsKey(levels: readonly number[]): string {
  return levels.join(' ');
}

/** Indices of the units of each weight. @param weights of each unit; those without weight belong nowhere */
export function equalUnits(weights: readonly number[], first = 0): readonly (readonly number[])[] {
  const groups = new Map<number, number[]>();
  for (const [i, weight] of weights.entries()) {
    if (weight > 0) groups.set(weight, [...(groups.get(weight) ?? []), first + i]);
  }
  return [...groups.values()];
}

/** @throws EspalierError `settings/invalid` where nothing can be switched */
export function checkSwitches(levels: readonly number[], space: LevelSpace, rng: Rng): void {
  if (switched(levels, space, rng)) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'searching for rates by EvoPress',
    actual: configurationText(space.configurationOf(levels)),
    ...space.needs,
  });
}
