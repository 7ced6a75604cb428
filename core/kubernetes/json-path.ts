/**
 * Paths of JSONPath as kubectl takes them, but for what computes: names, numbers, `*` and `..`. Nothing of a path is ever
 * run. Pure. https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
import { inputError } from '../base/errors.ts';

/** One step: a key, an item, all of them, or whatever is below at any depth. */
type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'item'; readonly at: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'below' };

/** A path that was read. */
export interface JsonPath {
  readonly text: string;
  readonly steps: readonly Step[];
}

const maxLength = 500;
const token = /\.\.|\.?\[\s*(?:(\*)|(-?\d{1,9})|'([^'\\]+)'|"([^"\\]+)")\s*\]|\.?(?:(\*)|((?:[\w/-]|\\.)+))/y;

/**
 * Reads a path such as `.spec.image`, `{.spec.steps[*].image}` or `$..containers[0]['image']`; `\.` is a dot within a name.
 * Throws `INPUT_INVALID` for filters, slices and everything else.
 */
export function parseJsonPath(text: string): JsonPath {
  const inner = text
    .trim()
    .replace(/^\{(.*)\}$/s, '$1')
    .trim();
  const body = inner.replace(/^[$@](?=[.[])/, '');
  const steps: Step[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < body.length) {
    const start = token.lastIndex;
    const match = body.length <= maxLength ? token.exec(body) : null;
    // A name stands behind a dot, but for the first; ".." is a step of its own, with a name or a bracket behind it.
    if (!match || (/^[\w*\\]/.test(match[0]) && start > 0 && steps.at(-1)?.kind !== 'below')) throw refuse(text);
    steps.push(stepOf(match));
  }
  if (steps.length === 0 || steps.at(-1)?.kind === 'below') throw refuse(text);
  return { text, steps };
}

function stepOf([whole, all, at, single, double, star, name]: RegExpExecArray): Step {
  if (whole === '..') return { kind: 'below' };
  if (all !== undefined || star !== undefined) return { kind: 'all' };
  if (at !== undefined) return { kind: 'item', at: Number(at) };
  return { kind: 'key', key: single ?? double ?? (name ?? '').replace(/\\(.)/g, '$1') };
}

function refuse(text: string): Error {
  return inputError(
    `"${text.slice(0, 200)}" is no path that can be followed. Write names, numbers and "*", such as .spec.steps[*].image; filters and slices are not taken.`,
  );
}

/** Everything that a path leads to in an object. */
export function followJsonPath({ steps }: JsonPath, object: unknown): unknown[] {
  let values: unknown[] = [object];
  for (const step of steps) values = [...new Set(values.flatMap(value => take(step, value)))];
  return values;
}

function take(step: Step, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return step.kind === 'below' ? [value] : [];
  switch (step.kind) {
    case 'all':
      return Object.values(value);
    case 'key':
      return !Array.isArray(value) && Object.hasOwn(value, step.key)
        ? [(value as Record<string, unknown>)[step.key]]
        : [];
    case 'item':
      return Array.isArray(value) ? value.slice(step.at, step.at === -1 ? undefined : step.at + 1) : [];
    case 'below':
      return descend(value);
  }
}

/** The value and all below it. */
function descend(value: object): unknown[] {
  const found: unknown[] = [];
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next);
    if (typeof next === 'object' && next !== null) waiting.push(...Object.values(next).filter(each => each !== null));
  }
  return found;
}
