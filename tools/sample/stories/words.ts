/** `a` or `an` before the words: by the first letter, which is right for every word of the tables here. */
export function withArticle(words: string): string {
  return `${/^[aeiou]/i.test(words) ? 'an' : 'a'} ${words}`;
}

const NUMBER_WORDS = 'no one two three four five six seven eight nine ten eleven twelve'.split(' ');

/** A count from 0 to 12 in words. */
export function numberWord(count: number): string {
  return NUMBER_WORDS[count]!;
}

/** Sentences begin with a capital: at the start, behind a sentence's end, and behind an opening quotation mark. */
export function capitalise(text: string): string {
  return text.replace(
    /((?:^|[.?!] |\n)"?|: ")([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}
