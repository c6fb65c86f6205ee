import type { Arm, ArmResult } from './arms.ts';

const WIDTH = 760;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 130, top: 20, bottom: 44 };

/** Each arm has a colour and a dash, so that no one needs the colour. */
const STYLES: Readonly<Record<Arm, { colour: string; dash: string; title: string }>> = {
  search: { colour: '#1a73c9', dash: '', title: 'search' },
  'in full': { colour: '#7a7a7a', dash: '2 3', title: 'all in full' },
  random: { colour: '#c2571a', dash: '7 4', title: 'random search' },
  exponents: { colour: '#2a8c4a', dash: '10 2', title: 'with exponents' },
  constants: { colour: '#8a3fb0', dash: '4 2 1 2', title: 'with exponents, factors' },
  'steady 8': { colour: '#1f8f93', dash: '6 2', title: 'steady-state, 8 workers' },
  'steady 64': { colour: '#b0243f', dash: '1 3', title: 'steady-state, 64' },
};

/** Best perplexity so far against evaluations spent (logarithmic), every arm of every seed, as an SVG text. */
export function plotSeeds(
  results: readonly ArmResult[],
  dense: number,
  baselines: readonly (readonly [name: string, perplexity: string])[],
): string {
  const points = results.flatMap(({ curve }) => curve);
  const levels = baselines.map(([name, value]) => [name, Number(value)] as const).filter(([, value]) => value > 0);
  const low = Math.min(...points.map(([, best]) => best));
  // Terrible beginnings would flatten what matters.
  const high = Math.max(low * 1.05, ...levels.map(([, value]) => value).filter((value) => value < low * 2)) * 1.05;
  const [first, last] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const x = (value: number): number =>
    MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * Math.log(value / first)) / Math.log(last / first || 2);
  const y = (value: number): number =>
    MARGIN.top + ((HEIGHT - MARGIN.top - MARGIN.bottom) * (high - Math.min(value, high))) / (high - low * 0.995);
  const lines = results.map(({ arm, curve }) => {
    const { colour, dash } = STYLES[arm];
    const path = curve.map(([at, best], i) =>
      i === 0 ? `M${at1(x(at))} ${at1(y(best))}` : `H${at1(x(at))}V${at1(y(best))}`,
    );
    return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dash}"/>`;
  });
  const rules = levels.filter(([, value]) => value <= high).map(([name, value]) => rule(y(value), `${name} ${value}`));
  const ticks = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
    .filter((value) => value >= first && value <= last)
    .map(
      (value) => `<text x="${at1(x(value))}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${value}</text>`,
    );
  const played = (Object.keys(STYLES) as Arm[]).filter((arm) => results.some((result) => result.arm === arm));
  const legend = played.map((arm, i) => {
    const { colour, dash, title } = STYLES[arm];
    const at = MARGIN.top + 8 + 18 * i;
    const from = WIDTH - MARGIN.right - 150;
    return `<path d="M${from} ${at}h28" stroke="${colour}" stroke-width="1.5" stroke-dasharray="${dash}"/><text x="${from + 36}" y="${at + 4}">${title}</text>`;
  });
  const middle = (HEIGHT - MARGIN.bottom + MARGIN.top) / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#444">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${[...rules, ...lines, ...ticks, ...legend].join('\n')}
<text x="${(WIDTH - MARGIN.right + MARGIN.left) / 2}" y="${HEIGHT - 8}" text-anchor="middle">evaluations of the whole fitness text</text>
<text transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">best perplexity so far (dense ${dense.toFixed(1)})</text>
<text x="${MARGIN.left - 6}" y="${at1(y(low) + 4)}" text-anchor="end">${low.toFixed(1)}</text>
</svg>
`;
}

function rule(y: number, title: string): string {
  const right = WIDTH - MARGIN.right;
  return `<path d="M${MARGIN.left} ${at1(y)}H${right}" stroke="#bbb" stroke-width="0.75"/><text x="${right + 6}" y="${at1(y + 4)}">${title}</text>`;
}

function at1(value: number): string {
  return value.toFixed(1);
}
