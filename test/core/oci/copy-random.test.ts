import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AppError } from '../../../core/base/errors.ts';
import type { AcrEmulator } from '../../emulators/acr/acr.ts';
import type { Content } from '../../support/images.ts';
import { howMany } from '../../support/random-worlds.ts';
import { digestTag, isManifest } from '../../support/shapes.ts';
import { brokenTags } from './copy-watch.ts';
import { type CopyWorld, copyAll, errand, startCopyWorld } from './copy-world.ts';
import { choose, graphs, makeNodes, makeSmallImage, type Node, type RandomGraph, reach } from './random-graph.ts';

const runs = howMany(60);

/** A repository's tags, manifests, blobs and lists of referrers, each list by its tag. */
interface Holdings {
  readonly tags: Readonly<Record<string, string>>;
  readonly manifests: readonly string[];
  readonly blobs: readonly string[];
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** What the repository holds. Lists that were replaced are no longer of any tag, and are left aside. */
function look({ world, behaviour }: AcrEmulator, repository: string, known: ReadonlySet<string>): Holdings {
  const isList = (digest: string): boolean =>
    !behaviour.referrers && !known.has(digest) && world.manifest(repository, digest)?.document.manifests !== undefined;
  const tags = Object.entries(world.tags(repository));
  const lists = tags.filter(([, digest]) => isList(digest));
  const entries = (digest: string) => world.manifest(repository, digest)?.document.manifests ?? [];
  return {
    tags: Object.fromEntries(tags.filter(([, digest]) => !isList(digest))),
    manifests: world
      .manifests(repository)
      .filter(digest => !isList(digest))
      .sort(),
    blobs: [...(world.repository(repository)?.blobs ?? [])].sort(),
    lists: Object.fromEntries(
      lists.map(([tag, digest]) => [
        tag,
        entries(digest)
          .map(each => each.digest)
          .sort(),
      ]),
    ),
  };
}

function digests(contents: readonly Content[]): string[] {
  return contents.map(({ digest }) => digest);
}

/** What it must hold in the end: all that it held before, and what the roots lead to. */
function foretell(before: Holdings, nodes: readonly Node[], roots: readonly Content[], hasApi: boolean): Holdings {
  const reached = reach(nodes, roots);
  const contents = [...reached.values()];
  const said = nodes.flatMap(({ content, about, tag }) =>
    about && reached.has(about.digest) ? [{ content, about, tag }] : [],
  );
  const notes = said.flatMap(({ content, tag }) => (tag ? [[tag, content.digest] as const] : []));
  const referrers = said.filter(({ tag }) => tag === undefined);
  const lists = new Map<string, string[]>();
  for (const { content, about } of hasApi ? [] : referrers) {
    lists.set(digestTag(about), [...(lists.get(digestTag(about)) ?? []), content.digest].sort());
  }
  return {
    tags: {
      ...before.tags,
      ...Object.fromEntries(notes),
      ...Object.fromEntries(roots.map(({ digest }, at) => [`t${at}`, digest])),
    },
    manifests: [...new Set([...before.manifests, ...digests(contents.filter(isManifest))])].sort(),
    blobs: [...new Set([...before.blobs, ...digests(contents.filter(each => !isManifest(each)))])].sort(),
    lists: Object.fromEntries(lists),
  };
}

describe('copies of random graphs', function () {
  this.timeout(Math.max(60_000, runs.numRuns * 1000));
  let world: CopyWorld;
  let acr: AcrEmulator;
  let count = 0;
  before(async () => {
    // A registry that takes anything shows what a strict one hides.
    world = await startCopyWorld({ targetBehaviour: { takesIncomplete: true } });
    acr = world.target.acr!;
  });
  after(() => world.close());

  /** Puts everything into the source, and into the target what is said to be there, beside what is nobody's business. */
  async function seedBoth(repository: string, nodes: readonly Node[]): Promise<void> {
    for (const { content, tag } of nodes) await world.source.put(repository, content, tag ? [tag] : []);
    for (const { content, tag } of nodes.filter(({ there }) => there)) {
      const parts = content.parts.filter(part => !isManifest(part));
      await world.target.put(repository, { ...content, parts }, tag ? [tag] : []);
    }
    const other = makeSmallImage(99, [99]);
    await world.target.put(repository, other, ['other', digestTag(makeSmallImage(98, []), '.sig')]);
  }

  /** Runs a copy that may fail; gives every tag that was ever on what is not whole. */
  async function copyWithFaults(
    graph: RandomGraph,
    repository: string,
    copy: () => Promise<unknown>,
  ): Promise<string[]> {
    const seen = new Set<string>();
    for (const site of [world.source, world.target]) {
      site.acr!.faults.intercept = () => {
        for (const broken of brokenTags(acr, repository)) seen.add(broken);
        return 'proceed';
      };
    }
    for (const { at, nth, count, effect } of graph.faults) world[at].acr!.faults.add({ nth, count }, effect);
    await copy().catch((thrown: unknown) => {
      if (!(thrown instanceof AppError) || thrown.code === 'DEFECT') throw thrown;
    });
    for (const site of [world.source, world.target]) site.acr!.faults.clear();
    return [...seen];
  }

  it('are whole after a second run, whatever was there and failed before, and change nothing else', () =>
    fc.assert(
      fc.asyncProperty(graphs, async graph => {
        const repository = `team/r${(count += 1)}`;
        acr.behaviour.referrers = graph.hasApi;
        const nodes = makeNodes(graph);
        await seedBoth(repository, nodes);
        const known = new Set([...nodes.map(({ content }) => content.digest), ...acr.world.manifests(repository)]);
        const roots = [...new Set(graph.roots.map(number => choose(nodes, number)))];
        const expected = foretell(look(acr, repository, known), nodes, roots, graph.hasApi);
        const copy = () => copyAll(roots.map((root, at) => errand(world, repository, root, [`t${at}`])));
        assert.deepEqual(await copyWithFaults(graph, repository, copy), []);
        await copy();
        assert.deepEqual(look(acr, repository, known), expected);
        acr.requests.clear();
        await copy();
        assert.deepEqual(
          acr.requests.all().filter(({ operationClass }) => operationClass === 'Write'),
          [],
        );
      }),
      { ...runs, endOnFailure: true },
    ));
});
