import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** What is known already, by everything that it depends on: kept line by line, so that a study that was ended goes on. */
export class Results {
  private readonly file: string;
  private readonly known = new Map<string, unknown>();

  constructor(file: string) {
    this.file = file;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const { key, value } = JSON.parse(line) as { readonly key: string; readonly value: unknown };
      this.known.set(key, value);
    }
  }

  /** @param about everything that the value depends on; only `find` gives values under it */
  async get<Value>(about: object, find: () => Promise<Value>): Promise<Value> {
    const key = JSON.stringify(about);
    if (this.known.has(key)) return this.known.get(key) as Value;
    const value = await find();
    this.known.set(key, value);
    appendFileSync(this.file, `${JSON.stringify({ key, value })}\n`);
    return value;
  }
}
