/** As Python's `str.strip`, which takes separators and U+0085 for white space, and U+FEFF not. */
export function strip(line: string): string {
  let begin = 0;
  let end = line.length;
  while (begin < end && WHITE.includes(line[begin]!)) begin++;
  while (end > begin && WHITE.includes(line[end - 1]!)) end--;
  return line.slice(begin, end);
}

const WHITE =
  ' \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
