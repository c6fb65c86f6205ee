/** The same without some of its fields. */
export function without<Of extends object, Name extends keyof Of & string>(
  of: Of,
  ...names: readonly Name[]
): Omit<Of, Name> {
  const entries = Object.entries(of).filter(([name]) => !(names as readonly string[]).includes(name));
  return Object.fromEntries(entries) as Omit<Of, Name>;
}
