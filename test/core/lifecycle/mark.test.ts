/** The mark, on graphs that no registry need be filled for. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { type GraphNode, markHeld, orderForDeletion } from '../../../core/lifecycle/mark.ts';
import type { Digest } from '../../../core/oci/digest.ts';

const idOf = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const signs = (letter: string): string => `sha256-${letter.repeat(64)}.sig`;
const node = (changes: Partial<GraphNode> = {}): GraphNode => ({
  tags: [],
  locked: false,
  changedAt: 0,
  children: [],
  ...changes,
});

describe('the mark', () => {
  const hour = 3_600_000;
  const now = 100 * hour;
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(idOf) as [Digest, Digest, Digest, Digest];
  const mark = (graph: readonly [Digest, GraphNode][], ...candidates: Digest[]) =>
    markHeld({ graph: new Map(graph), candidates: new Set(candidates), now, recentMs: 24 * hour });

  it('holds nothing of what is old, untagged and unlocked', () => {
    deepEqual(mark([[a, node()]], a), new Map());
  });

  it('holds what was changed within the grace, and what does not say when it was', () => {
    for (const changedAt of [undefined, now, now - 24 * hour + 1]) {
      const hold = mark([[a, node({ changedAt })]], a).get(a);
      match(hold?.reason ?? '', /changed within the grace/);
      equal(hold?.settles, false, 'it is asked again');
    }
    equal(mark([[a, node({ changedAt: now - 24 * hour })]], a).size, 0);
  });

  it('holds a signature of two images, and both, until the second is given up too', () => {
    const graph: [Digest, GraphNode][] = [
      [a, node()],
      [b, node()],
      [c, node({ tags: [signs('a'), signs('b')] })],
    ];
    deepEqual(new Set(mark(graph, a).keys()), new Set([a, b, c]));
    equal(mark(graph, a, b).size, 0);
  });

  it('takes what has a tag beside its signature tag for an image of its own', () => {
    const held = mark(
      [
        [a, node()],
        [b, node({ tags: [signs('a'), 'audit'] })],
      ],
      a,
    );
    deepEqual(held.get(b), { reason: 'the tag "audit" is on it', settles: true, tag: 'audit' });
    equal(held.get(a)?.settles, false, 'the image is asked again, as its signature’s tag may go');
  });

  it('holds what is tagged with its own digest, as by every other tag', () => {
    const held = mark([[a, node({ tags: [signs('a')] })]], a);
    deepEqual(held.get(a), { reason: `the tag "${signs('a')}" is on it`, settles: true, tag: signs('a') });
  });

  it('holds a candidate that refers to an image that is not to go', () => {
    const held = mark(
      [
        [a, node()],
        [b, node({ subject: a })],
      ],
      b,
    );
    match(held.get(b)?.reason ?? '', /refers to sha256:a+, which is not to go/);
  });

  it('asks again for what a lock holds, whoever’s it is, and for what is tied to that', () => {
    const held = mark(
      [
        [a, node({ locked: true, children: [b] })],
        [b, node()],
        [c, node({ tags: [signs('a')] })],
      ],
      a,
      b,
    );
    deepEqual(Object.fromEntries([...held].map(([digest, hold]) => [digest, hold.settles])), {
      [a]: false,
      [b]: false,
      [c]: false,
    });
  });

  it('puts an index before its children and a subject before its signatures', () => {
    const graph = new Map([
      [d, node({ tags: [signs('a')] })],
      [c, node()],
      [b, node({ children: [c] })],
      [a, node({ children: [b, c] })],
    ]);
    const order = orderForDeletion(graph, new Set(graph.keys()));
    equal(order.length, 4);
    for (const [earlier, later] of [
      [a, b],
      [b, c],
      [a, d],
    ] as const)
      equal(order.indexOf(earlier) < order.indexOf(later), true, `${earlier} before ${later}`);
  });
});
