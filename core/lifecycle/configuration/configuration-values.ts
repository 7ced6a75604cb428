/** The values that several parts of the configuration are made of. Every message names no value, and stands behind a key. */
import { z } from 'zod';
import { errorMessage } from '../../base/errors.ts';
import { type NamePattern, parseNamePattern } from '../keep-policy/name-pattern.ts';

/** Units of time in milliseconds. */
export const units = { s: 1000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 };

/** Says `message` of a wrong value; of a missing one the common "is missing" is said. */
export function say(message: string): { error: (issue: { readonly input?: unknown }) => string | undefined } {
  return { error: issue => (issue.input === undefined ? undefined : message) };
}

/** One of a few words. */
export const flag = <const T extends readonly string[]>(values: T) =>
  z.enum(values, say(`must be ${values.join(' or ')}`));

/** A whole number of one unit, given in milliseconds. */
export function duration(least: number, most: number) {
  const shape = 'must be a whole number and a unit, such as 90s, 15m, 24h or 30d';
  return z.string(say(shape)).transform((text, context) => {
    const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const ms = Number(count) * units[(unit ?? 's') as keyof typeof units];
    if (ms >= least && ms <= most) return ms;
    const bounds = `must be at least ${least / 1000} s and at most ${most / units.d} d`;
    context.addIssue({ code: 'custom', message: Number.isNaN(ms) ? shape : bounds });
    return z.NEVER;
  });
}

/** A glob or an expression between slashes, compiled. */
export const namePattern = z.string().transform((text, context): NamePattern => {
  try {
    return parseNamePattern(text);
  } catch (thrown) {
    context.addIssue({ code: 'custom', message: errorMessage(thrown) });
    return z.NEVER;
  }
});
