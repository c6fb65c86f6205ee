import type { Theme } from '../../shared/theme.ts';

/** A colour as red, green, blue, 0 to 255 each. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Even the lowest value can be told from where there is none. */
const LEAST = 0.08;
const TOWARDS_INK = 0.35;

/** A sequential scale between the background and a colour of the theme: more is stronger, in light and dark themes alike. */
export class ColourScale {
  private readonly from: Rgb;
  private readonly to: Rgb;
  private readonly ink: Rgb;

  constructor(theme: Theme) {
    this.from = parseColour(theme.background);
    this.ink = parseColour(theme.foreground, this.from);
    const strongest = parseColour(theme.isHighContrast ? theme.foreground : theme.blue, this.from);
    // A theme's blue alone lies in the middle of light and dark, where neither can be read on it.
    this.to = mixed(strongest, this.ink, TOWARDS_INK);
  }

  /** @param share 0 to 1; what lies outside is clamped */
  at(share: number): Rgb {
    const part = LEAST + (1 - LEAST) * Math.min(1, Math.max(0, share));
    return mixed(this.from, this.to, part);
  }

  /** The foreground or the background, whichever can be read better on a colour of the scale. */
  inkOn(share: number): Rgb {
    const place = this.at(share);
    return contrast(place, this.from) > contrast(place, this.ink) ? this.from : this.ink;
  }
}

/** A colour of the theme that is drawn back: `part` of the way from the first to the second, as a canvas takes it. */
export function between(from: string, to: string, part: number): string {
  const ground = parseColour(from);
  return css(mixed(ground, parseColour(to, ground), part));
}

function mixed(a: Rgb, b: Rgb, part: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i]! + part * (b[i]! - a[i]!))) as unknown as Rgb;
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
}

/** Contrast of two colours as WCAG has it, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/**
 * `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)` or `rgba(…)`, as VS Code writes a theme's colours; anything else is middle grey.
 *
 * @param below what shines through a colour that is not opaque
 */
export function parseColour(text: string, below: Rgb = [128, 128, 128]): Rgb {
  const parts = channelsOf(text.trim());
  if (!parts) return [128, 128, 128];
  const [red, green, blue, alpha] = parts;
  return [red, green, blue].map((value, i) => Math.round(alpha * value + (1 - alpha) * below[i]!)) as unknown as Rgb;
}

function channelsOf(text: string): [number, number, number, number] | undefined {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text)?.[1];
  if (hex !== undefined) {
    const digits = hex.length < 6 ? hex.replace(/./g, '$&$&') : hex;
    const [red, green, blue, alpha = 255] = (digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
    return red === undefined || green === undefined || blue === undefined ? undefined : [red, green, blue, alpha / 255];
  }
  const numbers = /^rgba?\(([^)]*)\)$/
    .exec(text)?.[1]
    ?.split(/[\s,/]+/)
    .filter((part) => part !== '');
  if (!numbers || numbers.length < 3) return undefined;
  const [red, green, blue, alpha = 1] = numbers.map((part) => Number.parseFloat(part));
  return [red!, green!, blue!, alpha];
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
