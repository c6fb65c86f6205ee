import type { Rng } from '../../../src/base/rng.ts';
import { Discourse } from './discourse.ts';
import { type Person, pick, type Phrases, type Slot, type Thing } from './slots.ts';
import { capitalise, numberWord, withArticle } from './words.ts';

/**
 * Fills the templates of a plot. Inside braces stands a slot and how it is to be mentioned:
 *
 *     {A} {A him} {A his} {A himself}   a person: a pronoun where it can only mean that person, else the name
 *     {A name} {A intro} {A role}       the name; "a shy girl called Mara" the first time; "the girl"
 *     {A+B}                             two people: "they", or both names
 *     {T a} {T the}                     a thing: "a red kite" the first time, then "the red kite" or "the kite"
 *     {T bare}                          "red kite"
 *     {T subject} {T object}            "it" where it can only mean that thing, else as {T the}
 *     {T was|were} {N was|were}         a verb that agrees with a thing or a count
 *     {N} {N of F}                      a count in words; "three plums", "one plum"
 *     {P.at} {B.tool a}                 a phrase of a slot; with its article
 */
export class Teller {
  readonly discourse: Discourse;
  private readonly rng: Rng;
  private readonly slots: Readonly<Record<string, Slot>>;
  private readonly counts: Readonly<Record<string, number>>;

  constructor(rng: Rng, slots: Readonly<Record<string, Slot>>, counts: Readonly<Record<string, number>>) {
    this.rng = rng;
    this.slots = slots;
    this.counts = counts;
    this.discourse = new Discourse();
  }

  /** Adds a scene: one of the sentences that it offers. */
  tell(scene: readonly string[]): void {
    const sentence = this.choose(pick(this.rng, scene));
    if (sentence === '') return;
    if (!this.discourse.isFresh) this.discourse.say(' ');
    const begin = this.discourse.text.length;
    for (const [index, part] of sentence.split(/[{}]/).entries()) {
      if (index % 2 === 0) this.discourse.say(part);
      else this.mention(part);
    }
    this.discourse.rewrite(begin, capitalise);
  }

  private choose(template: string): string {
    let text = template;
    while (text.includes('[')) {
      text = text.replace(/\[([^[\]]*)\]/, (_, options: string) => pick(this.rng, options.split('|')));
    }
    return text;
  }

  private mention(tag: string): void {
    const [, names, field, form = ''] = /^(\w+(?:\+\w+)?)(?:\.(\w+))?(?: (.+))?$/.exec(tag)!;
    if (names!.includes('+')) {
      this.mentionPair(names!.split('+').map((name) => this.slots[name] as Person));
      return;
    }
    const count = this.counts[names!];
    const slot = this.slots[names!];
    if (count !== undefined) this.discourse.say(this.countWords(count, form));
    else if (slot === undefined) throw new Error(`no slot for the tag {${tag}}`);
    else if (field !== undefined) this.discourse.say(fieldOf(slot, field, form, tag));
    else if (slot.kind === 'person') this.mentionPerson(slot, form);
    else if (slot.kind === 'thing') this.mentionThing(slot, form);
    else throw new Error(`a phrase needs a field: {${tag}}`);
  }

  private mentionPerson(person: Person, form: string): void {
    const { discourse } = this;
    if (form === 'intro' && !discourse.knows(person)) {
      discourse.mentionPerson(person.intro, [person], 'intro');
      return;
    }
    if (form === 'role') {
      discourse.mentionPerson(person.role, [person], 'role');
      return;
    }
    if (form === 'name' || form === 'intro') {
      discourse.mentionPerson(person.name, [person], 'name');
      return;
    }
    const pronoun = PRONOUNS[person.gender][form];
    if (pronoun === undefined) throw new Error(`no way to mention a person: ${form}`);
    const reflexive = form === 'himself';
    if (reflexive || (discourse.isClear(person) && this.rng.uniform() < PRONOUN_SHARE)) {
      discourse.mentionPerson(pronoun, [person], 'pronoun');
    } else {
      discourse.mentionPerson(form === 'his' ? `${person.name}'s` : person.name, [person], 'name');
    }
  }

  private mentionPair(people: readonly Person[]): void {
    const { discourse } = this;
    if (discourse.isClearPair(people) && this.rng.uniform() < PRONOUN_SHARE) {
      discourse.mentionPerson('they', people, 'pronoun');
    } else {
      discourse.mentionPerson(people.map(({ name }) => name).join(' and '), people, 'name');
    }
  }

  private mentionThing(thing: Thing, form: string): void {
    const { discourse } = this;
    if (form.includes('|')) {
      discourse.say(form.split('|')[thing.plural ? 1 : 0]!);
      return;
    }
    const bare = [...thing.looks, thing.noun].join(' ');
    const mayBeIt = (form === 'subject' || form === 'object') && !thing.plural && discourse.isClearThing(thing);
    const words = mayBeIt && this.rng.uniform() < PRONOUN_SHARE ? 'it' : this.phrase(thing, bare, form);
    discourse.mentionThing(thing, words);
  }

  private phrase(thing: Thing, bare: string, form: string): string {
    if (form === 'bare') return bare;
    if (!this.discourse.knows(thing)) return thing.plural ? `some ${bare}` : withArticle(bare);
    return `the ${this.rng.uniform() < 0.6 ? bare : thing.noun}`;
  }

  /** "three", "three plums", or the verb that goes with the count. */
  private countWords(count: number, form: string): string {
    if (form === '') return numberWord(count);
    if (form.includes('|')) return form.split('|')[count === 1 ? 0 : 1]!;
    const goods = form.replace(/^of /, '');
    const slot = this.slots[goods] as Phrases | undefined;
    const noun = slot ? slot.fields[count === 1 ? 'one' : 'many']! : count === 1 ? goods : `${goods}s`;
    return `${numberWord(count)} ${noun}`;
  }
}

/** How often a pronoun is used where one can be. */
const PRONOUN_SHARE = 0.8;

const PRONOUNS: Readonly<Record<Person['gender'], Readonly<Record<string, string>>>> = {
  female: { '': 'she', him: 'her', his: 'her', himself: 'herself' },
  male: { '': 'he', him: 'him', his: 'his', himself: 'himself' },
};

function fieldOf(slot: Slot, field: string, form: string, tag: string): string {
  const words = slot.fields[field];
  if (words === undefined) throw new Error(`no words for the tag {${tag}}`);
  return form === 'a' ? withArticle(words) : words;
}
