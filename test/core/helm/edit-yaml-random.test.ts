import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parse } from 'yaml';
import { setValues } from '../../../core/helm/edit-yaml.ts';

/** A tree of values, and how it is written: what is random is the writing, too. */
type Tree =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Tree[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: string, value: Tree])[] };

interface Style {
  /** Each number decides one thing of the writing. */
  readonly dice: readonly number[];
  readonly eol: '\n' | '\r\n';
  readonly isEndless: boolean;
}

const scalars = [
  '1',
  '1e3',
  'on',
  '~',
  '',
  '"a # b"',
  "'it''s'",
  'plain text',
  'null',
  '0x1F',
  '"\\u00e4"',
  'ümlaut',
  '2026-11-22',
  '!!str 5',
  '"{"',
  "'- a: b'",
  '"a, b]"',
];
const keys = ['image', 'tag', 'a', 'b-c', '"q r"', "'s'", '1', 'repository'];

const { tree } = fc.letrec<{ tree: Tree; map: Tree }>(tie => ({
  map: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...keys), tie('tree')), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => key,
    })
    .map(entries => ({ kind: 'map' as const, entries })),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...scalars).map(text => ({ kind: 'scalar' as const, text })),
    tie('map'),
    fc.array(tie('tree'), { maxLength: 3 }).map(items => ({ kind: 'list' as const, items })),
  ),
}));
const rootMap = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...keys), tree), { minLength: 1, maxLength: 5, selector: ([key]) => key })
  .map(entries => ({ kind: 'map' as const, entries }));
const style = fc.record({
  dice: fc.array(fc.nat(99), { minLength: 40, maxLength: 40 }),
  eol: fc.constantFrom('\n' as const, '\r\n' as const),
  isEndless: fc.boolean(),
});

function write(root: Tree, { dice, eol, isEndless }: Style): string {
  let thrown = 0;
  const roll = (sides: number): number => (dice[thrown++ % dice.length] ?? 0) % sides;
  const comment = (): string => ['', '', '', '  # a comment: {x, "y"', '\t# tab'][roll(5)] ?? '';
  const gap = (indent: number): string[] => [[], [], [''], [`${' '.repeat(indent)}# between: [`]][roll(4)] ?? [];
  const flow = (node: Tree): string => {
    if (node.kind === 'scalar') return /^(?:plain text|)$/.test(node.text) ? '"x"' : node.text;
    const [open, close] = node.kind === 'map' ? ['{', '}'] : ['[', ']'];
    const parts =
      node.kind === 'map' ? node.entries.map(([key, value]) => `${key}: ${flow(value)}`) : node.items.map(flow);
    const space = [' ', '', `${eol}${' '.repeat(40)}`][roll(3)] ?? '';
    const comma = parts.length > 0 && roll(4) === 0 ? ',' : '';
    return `${open}${space}${parts.join([', ', ',', ` ,${eol}${' '.repeat(41)}`][roll(3)])}${comma}${space}${close}`;
  };
  const lines: string[] = [];
  const block = (node: Tree, indent: number, head: string): void => {
    const isFlow =
      node.kind !== 'scalar' && ((node.kind === 'map' ? node.entries : node.items).length === 0 || roll(4) === 0);
    if (node.kind === 'scalar') {
      const isBlock = node.text === 'plain text' && roll(2) === 0 && !head.endsWith('-');
      if (isBlock)
        lines.push(
          `${head} ${['|', '>-', '|+'][roll(3)]}${comment()}`,
          `${' '.repeat(indent + 3)}plain`,
          `${' '.repeat(indent + 3)}text`,
        );
      else lines.push(`${head}${node.text === '' ? '' : ' '}${node.text}${comment()}`);
    } else if (isFlow) lines.push(`${head} ${flow(node)}${comment()}`);
    else {
      lines.push(`${head}${comment()}`);
      children(node, indent + (node.kind === 'map' ? 1 + roll(3) : head.endsWith('-') ? 2 : roll(3)));
    }
  };
  const children = (node: Tree, indent: number): void => {
    const pad = ' '.repeat(indent);
    if (node.kind === 'list')
      for (const item of node.items) {
        lines.push(...gap(indent));
        block(item, indent, `${pad}-`);
      }
    if (node.kind === 'map')
      for (const [key, value] of node.entries) {
        lines.push(...gap(indent));
        block(value, indent, `${pad}${key}:`);
      }
  };
  children(root, 0);
  return lines.join(eol) + (isEndless ? '' : eol);
}

const read = (text: string): unknown => parse(text, { version: '1.1', merge: true, uniqueKeys: false });

/** The values with one of them set, by a look of our own. */
function withValue(values: unknown, [key = '', ...rest]: readonly string[], value: string): unknown {
  const next = (inner: unknown): unknown => (rest.length === 0 ? value : withValue(inner ?? {}, rest, value));
  if (Array.isArray(values)) return values.map((item: unknown, at) => (String(at) === key ? next(item) : item));
  const map = (values ?? {}) as Record<string, unknown>;
  return { ...map, [key]: next(map[key]) };
}

/** Whether a value may be set there: no path leads through a value, and none takes a map or a list away. */
function isFree(values: unknown, [key = '', ...rest]: readonly string[]): boolean {
  if (values === null || values === undefined) return true;
  if (typeof values !== 'object' || values instanceof Date) return false;
  if (
    Array.isArray(values) &&
    (!/^\d$/.test(key) || Number(key) >= values.length || (values as unknown[])[Number(key)] === null)
  )
    return false;
  const inner = (values as Record<string, unknown>)[key];
  return rest.length > 0 ? isFree(inner, rest) : typeof inner !== 'object' || inner === null || inner instanceof Date;
}

const path = fc.array(fc.constantFrom('image', 'tag', 'a', 'b-c', 'q r', 's', '0', '1', 'new', 'on'), {
  minLength: 1,
  maxLength: 4,
});
const edits = fc.array(fc.record({ path, value: fc.constantFrom('1234567', 'x@sha256:00', 'on', '"', 'ä\n') }), {
  minLength: 1,
  maxLength: 3,
});

const isBelow = (one: readonly string[], other: readonly string[]): boolean =>
  other.every((key, at) => key === one[at]);

describe('values of any writing', () => {
  it('have what was set, and all else as it was, in the same lines; set again, nothing changes', () => {
    let shown = 0;
    fc.assert(
      fc.property(rootMap, style, edits, (root, style, wanted) => {
        const text = write(root, style);
        const before = read(text);
        const free = wanted.filter(
          ({ path }, at) =>
            isFree(before, path) &&
            !wanted.some((other, index) => index !== at && (isBelow(path, other.path) || isBelow(other.path, path))),
        );
        let expected = before;
        const possible = free.filter(edit => {
          if (!isFree(expected, edit.path)) return false;
          expected = withValue(expected, edit.path, edit.value);
          return true;
        });
        if (possible.length === 0) return;
        const { text: after, changes } = setValues(text, possible, 'values.yaml');
        assert.deepEqual(read(after), expected);
        assert.deepEqual(setValues(after, possible, 'values.yaml'), { text: after, changes: [] });
        assertLines(text, after, changes.length);
        shown += 1;
      }),
      { numRuns: 1000 },
    );
    assert.ok(shown > 300, `only ${shown} were edited`);
  });
});

/** All lines stand there in their order, but for those that are edited. */
function assertLines(before: string, after: string, edits: number): void {
  const [old, now] = [before.split('\n'), after.split('\n')];
  // The longest common subsequence, line by line.
  let row = now.map(() => 0).concat(0);
  for (const line of old) {
    const above = row;
    row = [0];
    for (const [at, other] of now.entries()) {
      row.push(line === other ? (above[at] ?? 0) + 1 : Math.max(above[at + 1] ?? 0, row[at] ?? 0));
    }
  }
  // A text in a block has two lines and its sign; a last line may have got an end.
  assert.ok(old.length - (row.at(-1) ?? 0) <= 3 * edits + 1, JSON.stringify({ before, after }));
}
