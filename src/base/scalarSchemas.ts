import * as z from 'zod';

/** Texts and numbers as they come from outside, which all schemas are made of. */

/** Longest text field (paths, names, messages) in UTF-16 units: far beyond any path, far below what could hurt. */
const MAX_TEXT = 65_536;

export const textSchema = z.string().max(MAX_TEXT);
export const nameSchema = textSchema.min(1);
export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hexadecimal');
export const countSchema = z.int().min(0);
/** Seconds, bytes, differences. */
export const amountSchema = z.number().min(0);
export const shareSchema = z.number().min(0).max(1);
