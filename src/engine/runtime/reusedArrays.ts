/** Arrays that are written again and again, one under each name: as long as the longest that was asked for. */
export class ReusedArrays {
  private readonly arrays = new Map<string, Float32Array>();

  /** An array whose elements nobody needs any more; one that was taken under the same name shares them. */
  take(name: string, length: number): Float32Array {
    let array = this.arrays.get(name);
    if (!array || array.length < length) {
      array = new Float32Array(length);
      this.arrays.set(name, array);
    }
    return array.subarray(0, length);
  }

  clear(): void {
    this.arrays.clear();
  }
}
