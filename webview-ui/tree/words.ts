import type { Shape } from '../../src/metric/shape.ts';

/** Three significant digits, an exponent only where it is shorter to read: `0.0123`, `4.56e−7`, `−1200`. */
export function formatValue(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : exponential(value);
  return text.replaceAll('-', '−');
}

/** A share that is more than nothing is never shown as 0 %, one that is not all never as 100 %. */
export function formatNonFinite(share: number): string {
  if (share >= 1) return '100 %';
  if (share > 0 && share < 0.001) return '<0.1 %';
  if (share > 0.999) return '>99.9 %';
  return `${Number((share * 100).toFixed(1))} %`;
}

/** For reading out. */
export function shareWords(share: number): string {
  return formatNonFinite(share).replace('<', 'less than ').replace('>', 'more than ');
}

/** `688 by 256`, `a row of 256`, `a number`. */
export function shapeWords([out, columns]: readonly [number, number]): string {
  if (out === 1 && columns === 1) return 'a number';
  return out === 1 ? `a row of ${columns}` : `${out} by ${columns}`;
}

/** Before a layer is known. */
export function symbolicWords(shape: Shape): string {
  if (shape.length === 0) return 'a number';
  return shape[0] === 1 ? 'a row' : 'a matrix';
}

/** A layer as a part of its block: `model.layers.3.mlp.up_proj.weight` → block 4, `mlp.up_proj`. */
export function layerName(tensor: string): { readonly block: string; readonly name: string } {
  const match = /^(.*?)\.(\d+)\.(.*?)(?:\.weight)?$/.exec(tensor);
  if (!match) return { block: 'Layers', name: tensor };
  return { block: `Block ${Number(match[2]) + 1}`, name: match[3]! };
}

function exponential(value: number): string {
  const [digits, exponent] = value.toExponential(2).split('e');
  return `${Number(digits)}e${exponent!.replace('+', '')}`;
}
