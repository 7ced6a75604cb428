/** What is wrong with a configuration, each fault with its place. No message repeats a value: it may be a secret. */
import { type Document, isMap, isNode, isScalar } from 'yaml';
import { z } from 'zod';
import { listNearest } from '../cleaning/nearest-names.ts';
import { type Source, showPlace } from './source.ts';
import { type KeyPath, showPath } from './written-path.ts';

/** One fault; the message stands behind the key: "must be text". */
export interface Fault {
  readonly path: KeyPath;
  readonly message: string;
}

const nouns: Readonly<Record<string, string>> = { object: 'a block of keys', array: 'a list', string: 'text' };

/** What is told of a value that does not fit; `keys` are those that are not known, `inst` what knows the others. */
interface Misfit {
  readonly code?: string;
  readonly input?: unknown;
  readonly expected?: unknown;
  readonly keys?: readonly string[];
  readonly inst?: unknown;
}

/**
 * Says in our words what has no message of its own, of keys that are not known a line each; to be given to `safeParse` as
 * `error`.
 */
export function explain({ code, input, expected, keys, inst }: Misfit): string {
  if (code === 'unrecognized_keys') {
    const known = inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
    return (keys ?? []).map(key => explainUnknown(key, known)).join('\n');
  }
  if (input === undefined) return 'is missing';
  const noun = nouns[String(expected)] ?? 'something else';
  const quoted = noun === 'text' && input !== null && typeof input !== 'object';
  return `must be ${noun}${quoted ? ', so put it into quotes' : ''}`;
}

/** Names the key that was meant, where at least every other letter is that of one. */
function explainUnknown(key: string, known: readonly string[]): string {
  const [nearest] = listNearest(key, known);
  const isMeant = nearest !== undefined && nearest.distance * 2 <= key.length;
  return `is not a key that is known here${isMeant ? `, but ${nearest.name} is` : ''}`;
}

/** Gives the faults of what did not parse; unknown keys one each, and of a choice those of the kind that was meant. */
export function listFaults(issues: readonly z.core.$ZodIssue[], above: KeyPath = []): Fault[] {
  return issues.flatMap(issue => {
    const path = [...above, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n');
      return issue.keys.map((key, at) => ({ path: [...path, key], message: messages[at] ?? '' }));
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
