import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { NAMES, PET_NAMES } from '../../../tools/sample/stories/people.ts';
import type { Plot } from '../../../tools/sample/stories/plot.ts';
import { PLOTS } from '../../../tools/sample/stories/plots.ts';
import type { Gender, Person } from '../../../tools/sample/stories/slots.ts';
import { printStory, type Story, tellPlot, writeStory } from '../../../tools/sample/stories/writeStory.ts';

const STORIES = 2000;
const rng = new Rng(20);
const stories = Array.from({ length: STORIES }, () => writeStory(rng));

const GENDER_OF_PRONOUN: Readonly<Record<string, Gender>> = {
  ...{ she: 'female', her: 'female', hers: 'female', herself: 'female' },
  ...{ he: 'male', him: 'male', his: 'male', himself: 'male' },
};

const GENDER_OF_NAME = new Map<string, Gender>(
  (['female', 'male'] as const).flatMap((gender) =>
    [...NAMES[gender], ...PET_NAMES[gender]].map((name) => [name, gender] as const),
  ),
);

describe('the people of a story', () => {
  it('have names that tell their gender', () => {
    const names = [...Object.values(NAMES), ...Object.values(PET_NAMES)].flat();
    expect(new Set(names).size).toBe(names.length);
    for (const { people } of stories) {
      for (const { name, gender } of people) expect(GENDER_OF_NAME.get(name)).toBe(gender);
    }
  });

  it('are told apart: no two of one name, no two grown-ups or animals of one kind', () => {
    for (const { people, body } of stories) {
      expect(new Set(people.map(({ name }) => name)).size, body).toBe(people.length);
      const roles = people.filter(({ fields }) => fields['grown'] === undefined).map(({ role }) => role);
      expect(new Set(roles).size, body).toBe(roles.length);
    }
  });

  it('come with their names: nobody else is named', () => {
    const strangers = stories.flatMap(({ people, body }) => {
      const known = new Set(people.map(({ name }) => name));
      const named = (body.match(/\b[A-Z][a-z]+\b/g) ?? []).filter((word) => GENDER_OF_NAME.has(word));
      return named.filter((name) => !known.has(name)).map((name) => `${name} in: ${body}`);
    });
    expect(strangers).toEqual([]);
  });
});

describe('pronouns', () => {
  it('stand nowhere but where the story means a person', () => {
    for (const { body, mentions } of stories) {
      const meant = mentions.filter(({ form }) => form === 'pronoun').map(({ start }) => start);
      const found = [...body.matchAll(/\b(s?he|her|hers|him|his|herself|himself)\b/gi)].map(({ index }) => index);
      expect(meant.filter((start) => !/^they$/i.test(body.slice(start, start + 4)))).toEqual(found);
    }
  });

  it('agree in gender and number, and mean who was mentioned last', () => {
    let pronouns = 0;
    for (const story of stories) {
      for (const { text, people, antecedents } of resolvePronouns(story)) {
        pronouns++;
        expect(antecedents, `“${text}” in: ${story.body}`).toEqual(people);
      }
    }
    expect(pronouns).toBeGreaterThan(1.5 * STORIES);
  });

  it('never reach back over a paragraph', () => {
    for (const { body, mentions } of stories) {
      for (const [index, { form, start }] of mentions.entries()) {
        if (form === 'pronoun') expect(body.slice(mentions[index - 1]!.end, start), body).not.toContain('\n');
      }
    }
  });
});

describe('a story', () => {
  it('is English as far as letters go: no holes, no doubled blanks, capitals where sentences begin', () => {
    for (const story of stories) {
      const text = printStory(story);
      expect(text).not.toMatch(/[{}[\]|]|undefined|NaN| {2}| [.,!?]/);
      expect(text).toMatch(/^[A-Z][^\n]+\n(?:["A-Z][^\n]+[.!?]"?\n){3}\n$/);
      expect(text, text).not.toMatch(/(?:[a-z]|[a-z]")[.!?] [a-z]/);
      expect((text.match(/"/g) ?? []).length % 2, text).toBe(0);
    }
  });

  it('has the right article', () => {
    for (const { body } of stories) {
      expect(body).not.toMatch(/\ba [aeiou]/i);
      expect(body).not.toMatch(/\ban (?!hour|honest)[^aeiou]/i);
    }
  });

  it('keeps verbs in step with singular and plural', () => {
    const plural = '(?:marbles|beads|blocks|soldiers|mittens|socks|boots|gloves)';
    for (const { body } of stories) {
      expect(body).not.toMatch(new RegExp(`\\ba (?!\\w+ of )(?:\\w+ ){1,2}${plural}\\b`));
      expect(body).not.toMatch(new RegExp(`\\b${plural} (?:was|is|stands|belongs)\\b`));
      expect(body).not.toMatch(/\bsome (?:\w+ ){1,2}(?:kite|boat|drum|scarf|bell|key|cup|box|jar)\b/);
    }
  });

  it('counts right', () => {
    const sharing = stories.filter(({ plot }) => plot === 'sharing');
    expect(sharing.length).toBeGreaterThan(50);
    const numbers = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ');
    const value = (word: string): number => numbers.indexOf(word.toLowerCase());
    let checked = 0;
    for (const { body } of sharing) {
      for (const [, from, less, left] of body.matchAll(/(\w+) less (\w+) made (\w+)/g)) {
        expect(value(from!) - value(less!), body).toBe(value(left!));
        checked++;
      }
      expect(body).not.toMatch(/\b(?:one) \w+s left|\b(?:two|three|four|five|six) (?:apple|pear|plum|egg|fig)\b/);
    }
    expect(checked).toBeGreaterThan(10);
  });

  it('keeps the looks of a thing', () => {
    for (const { plot, title, body } of stories) {
      if (plot !== 'lost and found') continue;
      const noun = /lost (.+)$|was the (.+)\?$/.exec(title);
      const name = (noun?.[1] ?? noun?.[2])!;
      const looks = [
        ...body.matchAll(new RegExp(`\\b(?:the|my|an?|some) ((?!\\w+ rowing)(?:\\w+ ){1,2})${name}\\b`, 'g')),
      ].map((m) => m[1]);
      expect(new Set(looks).size, body).toBe(1);
    }
  });
});

describe('the grammar', () => {
  it.each(PLOTS.map((plot) => [plot.name, plot] as const))('%s: every sentence can be told', (_, plot) => {
    const random = new Rng(5);
    for (const one of singleSentences(plot)) {
      const { body } = tellPlot(one, random);
      expect(body).not.toMatch(/[{}[\]|]/);
    }
  });

  it('tells the same stories for a seed, and others for another', () => {
    const first = (seed: number): Story => writeStory(new Rng(seed));
    expect(first(3)).toEqual(first(3));
    expect(first(3).body).not.toBe(first(4).body);
  });

  it('seldom repeats itself', () => {
    expect(new Set(stories.map(({ body }) => body)).size).toBe(STORIES);
    expect(new Set(stories.map(({ plot }) => plot)).size).toBe(PLOTS.length);
  });
});

/** What each pronoun means by the text alone: the last person of its gender; for `they` the last two who were named together. */
function resolvePronouns({ body, mentions }: Story): {
  readonly text: string;
  readonly people: readonly string[];
  readonly antecedents: readonly string[];
}[] {
  const last: Partial<Record<Gender, readonly Person[]>> = {};
  let together: readonly Person[] = [];
  const resolved: ReturnType<typeof resolvePronouns> = [];
  for (const { form, start, end, people } of mentions) {
    const text = body.slice(start, end).toLowerCase();
    if (form === 'pronoun') {
      const antecedents = text === 'they' ? together : (last[GENDER_OF_PRONOUN[text]!] ?? []);
      resolved.push({ text, people: names(people), antecedents: names(antecedents) });
    }
    if (people.length > 1) together = people;
    for (const gender of ['female', 'male'] as const) {
      const these = people.filter((person) => person.gender === gender);
      if (these.length > 0) last[gender] = these;
    }
  }
  return resolved;
}

function names(people: readonly Person[]): string[] {
  return people.map(({ name }) => name).sort();
}

/** The plot with one alternative of one scene at a time, so that none is left to chance. */
function singleSentences(plot: Plot): Plot[] {
  return plot.paragraphs.flatMap((scenes, p) =>
    scenes.flatMap((scene, s) =>
      scene.map((sentence) => ({
        ...plot,
        paragraphs: plot.paragraphs.map((others, i) =>
          i === p ? others.map((other, j) => (j === s ? [sentence] : other)) : others,
        ),
      })),
    ),
  );
}
