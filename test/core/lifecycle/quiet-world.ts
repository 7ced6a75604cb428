/** Quiet worlds: everything is there before the first build dies, so that the end can be foretold exactly, by brute force. */
import fc from 'fast-check';
import type { Veto } from '../../../core/lifecycle/veto.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

/** A repository's manifests in the order of their making; numbers choose among the earlier ones, by remainder. */
export interface QuietWorld {
  readonly manifests: readonly {
    readonly kind: 'image' | 'index' | 'referrer' | 'cosign';
    readonly of: readonly number[];
    readonly tag: boolean;
    /** Its own digest is a tag on it, too. */
    readonly named: boolean;
    readonly locked: boolean;
  }[];
  /** Each build tags one manifest, another that a promotion brought, or both; some die. */
  readonly builds: readonly {
    readonly manifest: number;
    readonly dies: boolean;
    readonly keep: boolean;
    readonly made: 'pushed' | 'promoted' | 'both';
    /** Chooses the promoted manifest: the build's tag moves to it. */
    readonly copy: number;
  }[];
  /** What the configuration says of the registry, and from the third day on. */
  readonly rules: readonly [Rule, Rule];
}

type Rule = 'delete' | 'keep' | 'absent';

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
      named: fc.nat({ max: 4 }).map(n => n === 0),
      locked: rarely,
    }),
    { minLength: 3, maxLength: 14 },
  ),
  builds: fc.array(
    fc.record({
      manifest: some,
      dies: fc.nat({ max: 3 }).map(n => n > 0),
      keep: rarely,
      made: fc.constantFrom('pushed' as const, 'pushed' as const, 'promoted' as const, 'both' as const),
      copy: some,
    }),
    { minLength: 1, maxLength: 6 },
  ),
  rules: fc.constantFrom<QuietWorld['rules'][number]>('absent', 'delete', 'keep').chain(first =>
    // Who let go of something before the change does not get it back, so the second rule is never the stricter one.
    fc.constantFrom<QuietWorld['rules']>([first, first], first === 'keep' ? ['keep', 'absent'] : [first, 'delete'], [
      first,
      first,
    ]),
  ),
});

interface Node {
  readonly digest: string;
  readonly children: readonly string[];
  readonly subject?: string;
  readonly signs?: string;
  readonly locked: boolean;
  readonly tags: string[];
}

/** What a keep plan forbids in a life: manifests by their numbers, so long as it stands. */
export interface QuietVeto {
  readonly manifests: readonly number[];
  /** It stands on so many days; 9 is to the end. */
  readonly days: number;
}

/** What is there at the end and what should be, without a veto; digests and tags. */
export interface QuietEnd {
  readonly there: string[];
  readonly foretold: string[];
  /** The manifests that the veto was about. */
  readonly vetoed: string[];
}

/** Lives the world to its end. */
export async function live(world: QuietWorld, veto: QuietVeto = { manifests: [], days: 0 }): Promise<QuietEnd> {
  const estate = await startEstate();
  try {
    estate.rules = {
      ...estate.rules,
      brake: { deleted: { images: 1e6, percent: 1e6 }, absent: { images: 1e6, percent: 1e6 } },
    };
    const nodes = make(estate, world);
    const dead = new Set<string>();
    const ids: number[] = [];
    const left: string[] = [];
    for (const build of world.builds) {
      const [id, makings] = await record(estate, nodes, build);
      ids.push(id);
      const end = build.dies ? endOf(makings, build.keep, world.rules[1]) : { goes: [], stays: makings };
      for (const node of end.goes) dead.add(node.digest);
      // The tag is on what was named last, and comes off that alone.
      const tagged = makings.at(-1)!.node;
      if (end.stays.some(making => making.node === tagged)) tagged.tags.push(String(id));
      // It does not hold what is locked already.
      else if (tagged.locked) left.push(`${id} ${tagged.digest}`);
    }
    for (const [at, build] of world.builds.entries()) if (build.dies) estate.ado.world.deleteBuild(ids[at]!);
    estate.advance(2 * day);
    const vetoed = veto.manifests.map(at => nodes[at % nodes.length]!.digest);
    const forbid: Veto = (_, digest) => (vetoed.includes(digest) ? 'it runs' : undefined);
    // An account that a veto held open takes a grace to be closed.
    for (let days = 0; days < 9 + (veto.days % 9); days += 1) {
      estate.rules = { ...estate.rules, ...asRules(world.rules[days < 2 ? 0 : 1]) };
      await estate.reconcile(days < veto.days || veto.days === 9 ? { veto: forbid } : {});
      estate.advance(day + hour);
    }
    const foretold = new Set(foretell(nodes, dead));
    const held = nodes.filter(node => foretold.has(node.digest));
    return {
      there: [...estate.acr.world.manifests('app'), ...readTags(estate)].sort(),
      foretold: [
        ...foretold,
        ...held.flatMap(({ tags, digest }) => tags.map(tag => `${tag} ${digest}`)),
        ...left,
      ].sort(),
      vetoed,
    };
  } finally {
    await estate.close();
  }
}

/** Every tag with its digest, but for those of signatures. */
function readTags({ acr }: Estate): string[] {
  return Object.entries(acr.world.tags('app')).flatMap(([tag, digest]) =>
    tag.startsWith('sha256-') && tag !== nameOf(digest) ? [] : `${tag} ${digest}`,
  );
}

/** A tag that an image is given for a name. */
function nameOf(digest: string): string {
  return `${digest.replace(':', '-')}.imgpkg`;
}

/** One manifest that a record names. */
interface Making {
  readonly node: Node;
  readonly promoted: boolean;
}

/** Makes a build, with what it pushed and then what was promoted of it. */
async function record(
  estate: Estate,
  nodes: readonly Node[],
  build: QuietWorld['builds'][number],
): Promise<[number, Making[]]> {
  const node = nodes[build.manifest % nodes.length]!;
  const copy = nodes[build.copy % nodes.length]!;
  const onBuildDeleted = build.keep ? 'keep' : 'delete';
  const makings: Making[] = [];
  const { id } = estate.ado.world.addBuild({ definitionId: estate.definitionId });
  if (build.made !== 'promoted') {
    await estate.tag(id, [{ repository: 'app', reference: node.digest }], { onBuildDeleted });
    makings.push({ node, promoted: false });
  }
  if (build.made !== 'pushed') {
    await leavePromotion(estate, id, { copies: [{ repository: 'app', digest: copy.digest }], onBuildDeleted });
    makings.push({ node: copy, promoted: true });
  }
  return [id, makings];
}

/** What a dead build gives up and what it keeps, by its records and the rule; what is named by one of each is kept. */
function endOf(makings: readonly Making[], keep: boolean, rule: Rule): { goes: Node[]; stays: Making[] } {
  const stays = makings.filter(({ promoted }) => keep || rule === 'keep' || (promoted && rule === 'absent'));
  const goes = makings.map(making => making.node).filter(node => !stays.some(making => making.node === node));
  return { goes, stays };
}

function asRules(rule: Rule): { onBuildDeleted: 'delete' | 'keep'; promoted: 'delete' | 'keep' } {
  return { onBuildDeleted: rule === 'keep' ? 'keep' : 'delete', promoted: rule === 'delete' ? 'delete' : 'keep' };
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
    if (wanted.named) {
      tags.push(nameOf(made.digest));
      world.tag('app', nameOf(made.digest), made.digest);
    }
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
