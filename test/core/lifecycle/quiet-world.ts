/** Quiet worlds: everything is there before the first build dies, so that the end can be foretold exactly, by brute force. */
import fc from 'fast-check';
import { day, type Estate, hour, startEstate } from './estate.ts';

/** A repository's manifests in the order of their making; numbers choose among the earlier ones, by remainder. */
export interface QuietWorld {
  readonly manifests: readonly {
    readonly kind: 'image' | 'index' | 'referrer' | 'cosign';
    readonly of: readonly number[];
    readonly tag: boolean;
    readonly locked: boolean;
  }[];
  /** Each build tags one manifest; some die. */
  readonly builds: readonly { readonly manifest: number; readonly dies: boolean; readonly keep: boolean }[];
}

const some = fc.nat({ max: 30 });
const rarely = fc.nat({ max: 7 }).map(n => n === 0);

export const quietWorlds: fc.Arbitrary<QuietWorld> = fc.record({
  manifests: fc.array(
    fc.record({
      kind: fc.constantFrom(
        'image' as const,
        'image' as const,
        'index' as const,
        'referrer' as const,
        'cosign' as const,
      ),
      of: fc.array(some, { minLength: 1, maxLength: 3 }),
      tag: rarely,
      locked: rarely,
    }),
    { minLength: 3, maxLength: 14 },
  ),
  builds: fc.array(fc.record({ manifest: some, dies: fc.nat({ max: 3 }).map(n => n > 0), keep: rarely }), {
    minLength: 1,
    maxLength: 6,
  }),
});

interface Node {
  readonly digest: string;
  readonly children: readonly string[];
  readonly subject?: string;
  readonly signs?: string;
  readonly locked: boolean;
  readonly tags: string[];
}

/** Lives the world to its end; gives what is there and what should be. */
export async function live(world: QuietWorld): Promise<{ readonly there: string[]; readonly foretold: string[] }> {
  const estate = await startEstate();
  try {
    estate.rules = {
      ...estate.rules,
      brake: { deleted: { images: 1e6, percent: 1e6 }, absent: { images: 1e6, percent: 1e6 } },
    };
    const nodes = make(estate, world);
    const dead = new Map<number, string>();
    const ids: number[] = [];
    for (const build of world.builds) {
      const node = nodes[build.manifest % nodes.length]!;
      const id = await estate.build([{ repository: 'app', reference: node.digest }], {
        onBuildDeleted: build.keep ? 'keep' : 'delete',
      });
      ids.push(id);
      const goes = build.dies && !build.keep;
      if (goes) dead.set(id, node.digest);
      else node.tags.push(String(id));
    }
    for (const [at, build] of world.builds.entries()) if (build.dies) estate.ado.world.deleteBuild(ids[at]!);
    estate.advance(2 * day);
    for (let days = 0; days < 5; days += 1) {
      await estate.reconcile();
      estate.advance(day + hour);
    }
    return {
      there: estate.acr.world.manifests('app').sort(),
      foretold: foretell(nodes, new Set(dead.values())).sort(),
    };
  } finally {
    await estate.close();
  }
}

function make(estate: Estate, { manifests }: QuietWorld): Node[] {
  const { world } = estate.acr;
  const nodes: Node[] = [];
  for (const [at, wanted] of manifests.entries()) {
    const earlier = wanted.of.flatMap(n => (nodes.length > 0 ? nodes[n % nodes.length]! : []));
    const [first] = earlier;
    const tags = wanted.tag ? [`v${at}`] : [];
    const describe = ({ digest }: Node) => {
      const entry = world.manifest('app', digest)!;
      return { mediaType: entry.mediaType, digest, size: entry.bytes.length };
    };
    let made: { digest: string };
    let node: Partial<Node> = {};
    if (first && wanted.kind === 'index') {
      made = world.putIndex('app', earlier.map(describe), { tags, annotations: { at: String(at) } });
      node = { children: earlier.map(each => each.digest) };
    } else if (first && wanted.kind === 'referrer') {
      made = world.putArtifact('app', {
        artifactType: 'application/vnd.r',
        subject: describe(first),
        tags,
        content: String(at),
      });
      node = { subject: first.digest };
    } else if (first && wanted.kind === 'cosign') {
      const tag = `${first.digest.replace(':', '-')}.sig${at}`;
      made = world.putArtifact('app', { artifactType: 'application/vnd.c', tags: [tag, ...tags], content: `c${at}` });
      node = { signs: first.digest };
    } else made = world.putImage('app', { tags });
    if (wanted.locked) world.setAttributes('app', made.digest, { deleteEnabled: false });
    nodes.push({ digest: made.digest, children: [], locked: wanted.locked, tags, ...node });
  }
  return nodes;
}

/** What must be there at the end: what something holds, and what nobody ever gave up. */
function foretell(nodes: readonly Node[], dead: ReadonlySet<string>): string[] {
  const givenUp = giveUp(nodes, dead);
  const held = new Set<string>();
  for (const node of nodes) for (const digest of heldBy(node, givenUp)) hold(nodes, held, digest);
  const gone = new Set([...givenUp.given].filter(digest => !held.has(digest)));
  // What refers to something that goes, goes with it.
  for (const digest of gone) for (const node of nodes) if (isAbout(node, digest)) gone.add(node.digest);
  return nodes.map(node => node.digest).filter(digest => !gone.has(digest));
}

/** What the dead builds gave up. */
interface GivenUp {
  /** What they made, with the children. */
  readonly given: ReadonlySet<string>;
  /** With the signatures by tag, and the signatures of those. */
  readonly signed: ReadonlySet<string>;
  /** With everything that refers to or signs those. */
  readonly going: ReadonlySet<string>;
}

function giveUp(nodes: readonly Node[], dead: ReadonlySet<string>): GivenUp {
  const given = grow(nodes, dead, (node, digest) =>
    nodes.some(each => each.digest === digest && each.children.includes(node.digest)),
  );
  const signed = grow(nodes, given, (node, digest) => node.signs === digest);
  return { given, signed, going: grow(nodes, signed, isAbout) };
}

/** The nodes that are joined to one of `start`, and to one of those, and so on. */
function grow(
  nodes: readonly Node[],
  start: ReadonlySet<string>,
  isJoined: (node: Node, digest: string) => boolean,
): Set<string> {
  const all = new Set(start);
  for (const digest of all) for (const node of nodes) if (isJoined(node, digest)) all.add(node.digest);
  return all;
}

/** The digests that a node holds of its own accord. */
function heldBy(node: Node, { given, signed, going }: GivenUp): readonly string[] {
  if (node.locked || node.tags.length > 0) return [node.digest];
  // An index that nobody gave up is somebody's.
  if (!given.has(node.digest) && node.children.length > 0) return node.children;
  // So is a signature by tag of what nobody gave up: what that refers to, a list does not say.
  if (node.signs !== undefined) return signed.has(node.signs) ? [] : [node.digest];
  // A referrer that somebody gave up stays with a subject that nobody did.
  const staysWith = given.has(node.digest) ? node.subject : undefined;
  return staysWith !== undefined && !going.has(staysWith) ? [node.digest] : [];
}

function hold(nodes: readonly Node[], held: Set<string>, digest: string): void {
  const node = nodes.find(each => each.digest === digest);
  if (!node || held.has(digest)) return;
  held.add(digest);
  const related = [...node.children, node.subject, node.signs].filter(each => each !== undefined);
  // What refers to or signs something that stays, stays.
  const about = nodes.filter(other => isAbout(other, digest)).map(other => other.digest);
  for (const each of [...related, ...about]) hold(nodes, held, each);
}

function isAbout(node: Node, digest: string): boolean {
  return node.subject === digest || node.signs === digest;
}
