/** What is wrong with a configuration, each fault with its place. No message repeats a value: it may be a secret. */
import { type Document, isMap, isNode, isScalar } from 'yaml';
import type { z } from 'zod';
import { type Source, showPlace } from './source.ts';
import { type KeyPath, showPath } from './written-path.ts';

/** One fault; the message stands behind the key: "must be text". */
export interface Fault {
  readonly path: KeyPath;
  readonly message: string;
}

const nouns: Readonly<Record<string, string>> = { object: 'a block of keys', array: 'a list', string: 'text' };

/** Says in our words what has no message of its own; to be given to `safeParse` as `error`. */
export function explain(issue: {
  readonly code?: string;
  readonly input?: unknown;
  readonly expected?: unknown;
}): string {
  if (issue.code === 'unrecognized_keys') return 'is not a key that is known here';
  if (issue.input === undefined) return 'is missing';
  const noun = nouns[String(issue.expected)] ?? 'something else';
  const quoted = noun === 'text' && issue.input !== null && typeof issue.input !== 'object';
  return `must be ${noun}${quoted ? ', so put it into quotes' : ''}`;
}

/** Gives the faults of what did not parse; unknown keys one each, and of a choice those of the kind that was meant. */
export function listFaults(issues: readonly z.core.$ZodIssue[], above: KeyPath = []): Fault[] {
  return issues.flatMap(issue => {
    const path = [...above, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => ({ path: [...path, key], message: issue.message }));
    }
    const meant = issue.code === 'invalid_union' ? issue.errors.filter(isMeant) : [];
    const [only] = meant;
    return only && meant.length === 1 ? listFaults(only, path) : [{ path, message: issue.message }];
  });
}

/** Whether only the inside of the value is wrong, and not what kind of value it is. */
function isMeant(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.every(issue => issue.path.length > 0 || !['invalid_type', 'invalid_value'].includes(issue.code));
}

/** Gives a line `name:line:column: key message` for each fault, as they stand in the text. */
export function showFaults(faults: readonly Fault[], source: Source): string {
  return faults
    .map(({ path, message }) => ({ offset: findOffset(source.document, path), text: `${showPath(path)} ${message}` }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, text }) => showPlace(source, offset, text))
    .join('\n');
}

/** Where the key stands, or the nearest block around it where the key is missing. */
function findOffset(document: Document, path: KeyPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(item => isScalar(item.key) && item.key.value === last) : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
