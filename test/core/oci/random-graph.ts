/** Random graphs of everything that a repository holds, and what a copy of some roots must bring, by brute force. */
import fc from 'fast-check';
import { emptyConfig, ociLayer, ociManifest } from '../../../core/oci/media-types.ts';
import type { FaultEffect } from '../../emulators/acr/faults.ts';
import { type Content, content, contentOf, flatten, pointTo } from '../../support/images.ts';
import { digestTag, makeArtifact, makeIndexOf } from '../../support/shapes.ts';

const some = fc.nat({ max: 20 });

const effects: fc.Arbitrary<FaultEffect> = fc.constantFrom(
  { kind: 'cut', when: 'before' },
  { kind: 'cut', when: 'after' },
  { kind: 'cut', when: 'body' },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500, processed: true },
  { kind: 'status', status: 429, retryAfter: 1 },
  { kind: 'status', status: 400 },
  { kind: 'corrupt' },
  { kind: 'wrong-digest' },
);

/** Numbers choose among what was made before, by remainder. */
export interface RandomGraph {
  readonly nodes: readonly {
    readonly kind: 'image' | 'index' | 'referrer' | 'note';
    readonly of: readonly number[];
    /** Whether the target has it before, an index without its children. */
    readonly there: boolean;
  }[];
  readonly roots: readonly number[];
  /** Whether the target has the referrers API. */
  readonly hasApi: boolean;
  readonly faults: readonly {
    readonly at: 'source' | 'target';
    readonly nth: number;
    readonly count: number;
    readonly effect: FaultEffect;
  }[];
}

export const graphs: fc.Arbitrary<RandomGraph> = fc.record({
  nodes: fc.array(
    fc.record({
      kind: fc.constantFrom('image' as const, 'image' as const, 'index' as const, 'referrer' as const, 'note' as const),
      of: fc.array(some, { minLength: 1, maxLength: 3 }),
      there: fc.boolean(),
    }),
    { minLength: 2, maxLength: 9 },
  ),
  roots: fc.array(some, { minLength: 1, maxLength: 3 }),
  hasApi: fc.boolean(),
  faults: fc.array(
    fc.record({
      at: fc.constantFrom('source' as const, 'target' as const),
      nth: fc.integer({ min: 1, max: 40 }),
      // Once, as often as a request is sent again, or until the end of the run.
      count: fc.constantFrom(1, 1, 5, 1000),
      effect: effects,
    }),
    { maxLength: 4 },
  ),
});

/** One thing in the source's repository. */
export interface Node {
  readonly content: Content;
  readonly there: boolean;
  /** The image that it says something about: in its own words, or by its tag. */
  readonly about?: Content;
  readonly tag?: string;
}

/** Makes the nodes of a graph, each of earlier ones. */
export function makeNodes(graph: RandomGraph): Node[] {
  const nodes: Node[] = [];
  for (const [at, { kind, of, there }] of graph.nodes.entries()) {
    const chosen = nodes.length === 0 ? [] : of.map(number => choose(nodes, number));
    nodes.push({ there, ...makeNode(at, kind, chosen) });
  }
  return nodes;

  function makeNode(
    at: number,
    kind: RandomGraph['nodes'][number]['kind'],
    of: readonly Content[],
  ): Omit<Node, 'there'> {
    const [about] = of;
    const type = `application/vnd.x${at}`;
    if (!about || kind === 'image') return { content: makeSmallImage(at, graph.nodes[at]?.of ?? []) };
    if (kind === 'index') return { content: makeIndexOf([...new Set(of)], [], { annotations: { at: String(at) } }) };
    if (kind === 'referrer') return { content: makeArtifact(type, { subject: about }), about };
    return { content: makeArtifact(type), about, tag: digestTag(about, `.n${at}`) };
  }
}

/** The node that a number chooses. */
export function choose(nodes: readonly Node[], number: number): Content {
  return (nodes[number % nodes.length] as Node).content;
}

/** An image of layers that others have, too. */
export function makeSmallImage(seed: number, layers: readonly number[]): Content {
  const blobs = layers.map(layer => content(ociLayer, Buffer.from(`layer ${layer % 4}`)));
  const config = content(emptyConfig, Buffer.from('{}'));
  const type = `application/vnd.image${seed}`;
  const manifest = { schemaVersion: 2, mediaType: ociManifest, artifactType: type, config: pointTo(config) };
  return contentOf(ociManifest, { ...manifest, layers: blobs.map(pointTo) }, [config, ...blobs]);
}

/** By digest: everything below the roots, and below all that is said about any part of that. */
export function reach(nodes: readonly Node[], roots: readonly Content[]): Map<string, Content> {
  const found = new Map<string, Content>();
  const add = (root: Content): void => {
    for (const each of flatten(root)) found.set(each.digest, each);
  };
  roots.forEach(add);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { content, about } of nodes) if (about && found.has(about.digest)) add(content);
  }
  return found;
}
