/** The values that several parts of the configuration are made of. Every message names no value, and stands behind a key. */
import { z } from 'zod';
import { errorMessage } from '../../base/errors.ts';
import { type NamePattern, namePatternShape, parseNamePattern } from '../keep-policy/name-pattern.ts';
import { explainVain, type NameKind, vainShapes } from '../keep-policy/vain-pattern.ts';

/** Units of time in milliseconds. */
export const units = { s: 1000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 };

/** Says `message` of a wrong value; of a missing one the common "is missing" is said. */
export function say(message: string): { error: (issue: { readonly input?: unknown }) => string | undefined } {
  return { error: issue => (issue.input === undefined ? undefined : message) };
}

/** One of a few words. */
export const flag = <const T extends readonly string[]>(values: T) =>
  z.enum(values, say(`must be ${values.join(' or ')}`));

type Unit = keyof typeof units;
const unitNames = Object.keys(units) as readonly Unit[];

/** A whole number of one unit, given in milliseconds. */
export function duration(least: number, most: number) {
  const shape = 'must be a whole number and a unit, such as 90s, 15m, 24h or 30d';
  const written = /^(\d{1,9})([smhd])$/;
  return z
    .string(say(shape))
    .regex(written, shape)
    .meta({ pattern: durationPattern(least, most) })
    .transform((text, context) => {
      const [, count, unit] = written.exec(text) ?? [];
      const ms = Number(count) * units[(unit ?? 's') as Unit];
      if (ms >= least && ms <= most) return ms;
      const bounds = `must be at least ${showDuration(least)} and at most ${showDuration(most)}`;
      context.addIssue({ code: 'custom', message: bounds });
      return z.NEVER;
    });
}

/** As it would be written, in the largest unit: 24h is 1d. */
function showDuration(ms: number): string {
  const unit = unitNames.findLast(each => ms > 0 && ms % units[each] === 0) ?? 's';
  return `${ms / units[unit]}${unit}`;
}

/** For a JSON Schema. It takes a little more than there may be, and nothing less: it tells bounds by length and first digit. */
function durationPattern(least: number, most: number): string {
  const counts = unitNames.flatMap(unit => {
    const [from, to] = [Math.ceil(least / units[unit]), Math.floor(most / units[unit])];
    return from <= to ? [`${digitsBetween(String(from), String(to))}${unit}`] : [];
  });
  return `^0*(?:${counts.join('|')})$`;
}

function digitsBetween(from: string, to: string): string {
  const [short, long] = [from.length, to.length];
  if (short === long) return `[${from[0]}-${to[0]}]${digits(long - 1)}`;
  if (from === '0') return `[0-${to[0]}]?${digits(1, long - 1)}`;
  const above = short + 1 < long ? `?${digits(short + 1, long - 1)}` : digits(long - 1);
  return `(?:[${from[0]}-9]${digits(short - 1)}|[0-${to[0]}]${above})`;
}

function digits(least: number, most = least): string {
  if (most === 0) return '';
  return String.raw`\d` + (most === 1 ? '' : least === most ? `{${most}}` : `{${least},${most}}`);
}

/** An id of Azure DevOps or Microsoft Entra, made lower-case. */
export const guid = z.guid(say('must be a GUID')).toLowerCase();
/** A text that is not empty. */
export const word = z.string().min(1, 'must not be empty');
/** What people call a thing of theirs: it stands in plans and reports, and in front of a colon. */
export const givenName = z
  .string()
  .max(64, 'must have at most 64 characters')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'must be letters, digits, ".", "_" and "-", beginning with a letter or a digit',
  );

/** The names of this machine, for which alone http is accepted. */
export const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** The same for a JSON Schema. */
export const loopbackPattern = [...loopback].map(name => name.replace(/[.[\]]/g, String.raw`\$&`)).join('|');

/** An address that requests go to, without the slashes at its end. */
export const url = z
  .string()
  .refine(isUrl, 'must be an https:// URL without user, query and fragment (http:// for this machine alone)')
  .meta({ pattern: `^(?:https://|http://(?:${loopbackPattern})(?=[:/]|$))[^\\s?#@]*$` })
  .transform(text => text.replace(/\/+$/, ''));

function isUrl(text: string): boolean {
  const read = URL.canParse(text) ? new URL(text) : undefined;
  if (!read || read.username || read.password || read.search || read.hash) return false;
  return read.protocol === 'https:' || (read.protocol === 'http:' && loopback.has(read.hostname));
}

/** Makes the check of a pattern in which up to four `*` stand for any characters; `allowed` is what else it may hold. */
export const isGlob =
  (allowed: RegExp) =>
  (text: string): boolean =>
    allowed.test(text) && text.split('*').length <= 5;

/** Repositories by globs. */
export const repositoryPatterns = z
  .array(
    z
      .string()
      .max(255, 'must have at most 255 characters')
      .refine(
        isGlob(/^[a-z0-9*][a-z0-9._/*-]*$/),
        'must be a repository, in which up to four * stand for any characters',
      )
      .meta({ pattern: '^[a-z0-9*][a-z0-9._/*-]*$' }),
  )
  .min(1, 'must name at least one repository')
  .prefault(['*']);

/** A glob or an expression between slashes, compiled; what matches no name of its kind is refused. */
export const namePattern = (kind: NameKind) =>
  z
    .string()
    .meta({ pattern: namePatternShape, not: { anyOf: vainShapes(kind).map(pattern => ({ pattern })) } })
    .transform((text, context): NamePattern => {
      const read = readPattern(text, kind);
      if (typeof read !== 'string') return read;
      context.addIssue({ code: 'custom', message: read });
      return z.NEVER;
    });

/** The pattern, or what is wrong with it. */
function readPattern(text: string, kind: NameKind): NamePattern | string {
  try {
    const pattern = parseNamePattern(text);
    return explainVain(text, kind) ?? pattern;
  } catch (thrown) {
    return errorMessage(thrown);
  }
}
