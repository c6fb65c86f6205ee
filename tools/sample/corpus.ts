import { Rng } from '../../src/base/rng.ts';
import { printStory, writeStory } from './stories/writeStory.ts';

/** Texts of different stories: none stands in two of them, and none twice. */
export interface StoryCorpus {
  readonly train: string;
  readonly calibration: string;
  readonly test: string;
  /** In all three. */
  readonly stories: number;
}

/** Bytes that each text has at least; it ends with the story that fills it. */
export interface CorpusSizes {
  readonly train: number;
  readonly calibration: number;
  readonly test: number;
}

/**
 * Writes the stories of a seed. The texts that are kept come first: the test and calibration texts of a seed are the same
 * however much there is to train on.
 */
export function writeCorpus(seed: number, sizes: CorpusSizes): StoryCorpus {
  const rng = new Rng(seed);
  const told = new Set<string>();
  const fill = (size: number): string => {
    const stories: string[] = [];
    for (let written = 0; written < size;) {
      const story = printStory(writeStory(rng));
      if (told.size === told.add(story).size) continue;
      stories.push(story);
      written += story.length;
    }
    return stories.join('');
  };
  const test = fill(sizes.test);
  const calibration = fill(sizes.calibration);
  const train = fill(sizes.train);
  return { train, calibration, test, stories: told.size };
}
