/** Finds the texts that end what is generated, across the borders of tokens: text that may be the beginning of one is held back. */
export class StopTexts {
  private readonly stops: readonly string[];
  private held = '';
  private found = false;

  constructor(stops: readonly string[]) {
    this.stops = stops;
  }

  /** Whether one of them was found: nothing more comes then. */
  get stopped(): boolean {
    return this.found;
  }

  /** @returns what is certain to come before all of them */
  push(text: string): string {
    if (this.found) return '';
    const all = this.held + text;
    const places = this.stops.map((stop) => all.indexOf(stop)).filter((place) => place >= 0);
    if (places.length > 0) {
      this.found = true;
      this.held = '';
      return all.slice(0, Math.min(...places));
    }
    const kept = Math.max(0, ...this.stops.map((stop) => beginning(all, stop)));
    this.held = all.slice(all.length - kept);
    return all.slice(0, all.length - kept);
  }

  /** What was held back, and was the beginning of none. */
  end(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }
}

/** How many of a text's last characters are the first ones of a stop. */
function beginning(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
