/** A name that the text does not use yet: the one that is wanted, or with a number behind it. */
export function freeName(text: string, wanted: string): string {
  const isTaken = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
  if (!isTaken(wanted)) return wanted;
  let count = 2;
  while (isTaken(`${wanted}_${count}`)) count++;
  return `${wanted}_${count}`;
}
