/**
 * ALiBi's slopes (Press et al. 2022): a geometric sequence that begins with its own ratio; where the heads are no power of two, the sequence for the power
 * below, and every other slope of that for the power above.
 */
export function slopesOf(heads: number): number[] {
  const power = Math.log2(heads);
  if (Number.isInteger(power)) {
    const ratio = 2 ** -(2 ** -(power - 3));
    return Array.from({ length: heads }, (_, i) => ratio * ratio ** i);
  }
  const below = 2 ** Math.floor(power);
  const others = slopesOf(2 * below).filter((_, i) => i % 2 === 0);
  return [...slopesOf(below), ...others].slice(0, heads);
}

/** To eight significant bits, halves to the even one. */
export function toBfloat16(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  const units = value / unit;
  const whole = Math.floor(units);
  const rest = units - whole;
  return unit * (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0) ? whole + 1 : whole);
}
