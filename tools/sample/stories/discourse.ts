import type { Person, Thing } from './slots.ts';

/** One place in the text where people are meant. */
export interface Mention {
  /** Offsets into the story's text. */
  readonly start: number;
  readonly end: number;
  readonly people: readonly Person[];
  readonly form: 'name' | 'intro' | 'role' | 'pronoun';
}

/**
 * The text so far and who has been mentioned in it. It decides where a pronoun can mean one only: `he` and `she` mean the person of
 * that gender who was mentioned last, `they` the pair that was, `it` the thing that was; none of them reaches back far, or
 * over a paragraph's end.
 */
export class Discourse {
  text = '';
  readonly mentions: Mention[] = [];
  private readonly introduced = new Set<Person | Thing>();
  private lastThing: { readonly thing: Thing; readonly end: number } | undefined;

  /** Whether the next words begin a paragraph. */
  get isFresh(): boolean {
    return this.text === '' || this.text.endsWith('\n');
  }

  say(words: string): void {
    this.text += words;
  }

  /** Changes the text from `begin` on without changing its length: mentions keep their places. */
  rewrite(begin: number, change: (text: string) => string): void {
    this.text = this.text.slice(0, begin) + change(this.text.slice(begin));
  }

  mentionPerson(words: string, people: readonly Person[], form: Mention['form']): void {
    const start = this.text.length;
    this.text += words;
    for (const person of people) this.introduced.add(person);
    this.mentions.push({ start, end: this.text.length, people, form });
  }

  mentionThing(thing: Thing, words: string): void {
    this.text += words;
    this.introduced.add(thing);
    this.lastThing = { thing, end: this.text.length };
  }

  /** Whether the reader has met it already. */
  knows(one: Person | Thing): boolean {
    return this.introduced.has(one);
  }

  /** Whether he or she can only be this person. */
  isClear(person: Person): boolean {
    const sameGender = ({ gender }: Person): boolean => gender === person.gender;
    const last = this.mentions.findLast(({ people }) => people.some(sameGender));
    const meant = last?.people.filter(sameGender);
    return last !== undefined && meant!.length === 1 && meant![0] === person && this.isNear(last.end, 2);
  }

  /** Whether `they` can only be these people. */
  isClearPair(people: readonly Person[]): boolean {
    const last = this.mentions.at(-1);
    const same = last?.people.length === people.length && last.people.every((one) => people.includes(one));
    return same && this.isNear(last.end, 1);
  }

  isClearThing(thing: Thing): boolean {
    return this.lastThing?.thing === thing && this.isNear(this.lastThing.end, 1);
  }

  private isNear(end: number, sentences: number): boolean {
    const between = this.text.slice(end);
    return !between.includes('\n') && (between.match(/[.?!]/g)?.length ?? 0) <= sentences;
  }
}
