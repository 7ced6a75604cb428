/** Reads a repository's whole manifest graph, or says why it cannot be judged: hidden, truncated or unreadable parts. */
import { readRepositoryProperties } from '../acr/attributes.ts';
import { findGap } from '../acr/find-gap.ts';
import { type AcrManifest, listManifests } from '../acr/listings.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import type { Digest } from '../oci/digest.ts';
import { getManifest } from '../oci/manifests.ts';
import { dockerManifest, isIndexType, ociArtifact, ociManifest } from '../oci/media-types.ts';
import type { Repository } from '../oci/repository.ts';
import { listTags } from '../oci/tags.ts';
import type { Graph, GraphNode } from './mark.ts';

/** The graph, or why there is none. A repository that is gone has an empty one. */
export type GraphReading =
  | { readonly kind: 'graph'; readonly graph: Graph }
  | { readonly kind: 'unjudged'; readonly reason: string };

/** What is known of a manifest before it is read; content addressing keeps it true. */
export interface KnownLinks {
  readonly children: readonly Digest[];
  readonly subject?: Digest | undefined;
}

/** Forms of a manifest that can have no children. */
export const leafTypes: ReadonlySet<string> = new Set([
  ociManifest,
  dockerManifest,
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  ociArtifact,
]);

/**
 * Lists everything, compares it with the repository's own counts, and reads each index whose children are not `known`
 * (an index is what its digest says, so what was read from it once is still true). Throws where the registry fails.
 */
export async function readGraph(repository: Repository, known: ReadonlyMap<Digest, KnownLinks>): Promise<GraphReading> {
  const before = await readRepositoryProperties(repository);
  if (!before) return { kind: 'graph', graph: new Map() };
  if (!before.canDelete || !before.canWrite) return { kind: 'unjudged', reason: 'the repository is locked' };
  const listed = await listManifests(repository);
  const gap = await findGap(repository, before, {
    manifests: listed.size,
    countTags: async expected => {
      const seen = [...listed.values()].reduce((sum, manifest) => sum + manifest.tags.length, 0);
      // The list of manifests may leave tags out where a digest has many; the list of tags does not.
      return seen === expected ? seen : new Set(await listTags(repository)).size;
    },
  });
  if (gap) return { kind: 'unjudged', reason: gap.reason };
  const graph = new Map<Digest, GraphNode>();
  const unread: AcrManifest[] = [];
  for (const [digest, manifest] of listed) {
    const { children, subject } = known.get(digest) ?? { children: [] };
    graph.set(digest, {
      tags: manifest.tags,
      locked: manifest.locked,
      changedAt: manifest.changedAt,
      children,
      subject,
    });
    if (!leafTypes.has(manifest.mediaType) && children.length === 0) unread.push(manifest);
  }
  const problems = await mapConcurrently(unread, 8, manifest => readChildren(repository, manifest, graph));
  const problem = problems.find(each => each !== undefined);
  return problem === undefined ? { kind: 'graph', graph } : { kind: 'unjudged', reason: problem };
}

/** The children of one index go into the graph; gives a reason where it cannot be read as one. */
async function readChildren(
  repository: Repository,
  listed: AcrManifest,
  graph: Map<Digest, GraphNode>,
): Promise<string | undefined> {
  const { digest, mediaType } = listed;
  if (!isIndexType(mediaType) && mediaType !== '')
    return `${digest} has the media type "${mediaType}", which may hold others`;
  const manifest = await getManifest(repository, digest);
  if (!manifest) return `the index ${digest} is listed, but cannot be read`;
  const node = graph.get(digest);
  if (node)
    graph.set(digest, {
      ...node,
      children: manifest.children.map(child => child.digest),
      subject: manifest.subject?.digest,
    });
  return undefined;
}
