/** Facts of a large organization for a plan: repositories with their builds, branches, copies in a stage, and what runs. */

import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
  RepositoryFact,
  SourceFacts,
} from '../../core/lifecycle/keep-policy/policy-facts.ts';
import { deleteSchema, keepSchema } from '../../core/lifecycle/keep-policy/policy-schema.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { ociIndex, ociManifest } from '../../core/oci/media-types.ts';

/** How large it is. */
export interface PlanWorld {
  /** Of CI and of the stage together: of five, one is the stage's, with copies of all images of one of the four. */
  readonly repositories: number;
  /** In each; of eight, two are the platforms of an index and one is a signature. */
  readonly images: number;
  /** Branches and tags of git for each repository. */
  readonly references: number;
  readonly containers: number;
}

const hour = 3_600_000;
const now = Date.parse('2026-06-01T12:00:00Z');
const definition = 7;
const alive = { kind: 'alive' } as const;
const deleted = { kind: 'deleted' } as const;
const unheld = { kind: 'whole', items: [] } as const;

/** Numbers that look random and are the same each time. https://en.wikipedia.org/wiki/Xorshift */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Rules as teams have them: all kinds. */
export function makeRules(): PlanRules {
  return {
    keep: keepSchema.parse({ tags: ['v*', '/^release-\\d+$/', 'latest'], newerThan: '2h' }),
    delete: deleteSchema.parse({
      untagged: { olderThan: '24h' },
      withoutRecord: { tagsMatching: '/^\\d+$/', definitions: [definition] },
    }),
    registries: [
      { name: 'ci', onBuildDeleted: 'delete' },
      { name: 'prod', onBuildDeleted: 'delete' },
    ],
    organizations: [
      { name: 'contoso', buildTagPrefix: '', alsoOwn: [], projects: [{ name: 'shop', repositories: ['*'] }] },
    ],
    usage: [{ name: 'prod', maxAge: 24 * hour }],
  };
}

interface Making {
  readonly random: (below: number) => number;
  readonly builds: BuildFact[];
  readonly records: Record<'ci' | 'prod', RecordFact[]>;
}

/** Makes the facts. */
export function makeFacts(world: PlanWorld): PlanFacts {
  const making: Making = { random: createRandom(20260601), builds: [], records: { ci: [], prod: [] } };
  const ci: RepositoryFact[] = [];
  const prod: RepositoryFact[] = [];
  const sources: SourceFacts[] = [];
  for (let at = 0; ci.length + prod.length < world.repositories; at += 1) {
    sources.push(makeSource(`repo-${at}`, world.references, making));
    const repository = makeRepository(at, world, making);
    ci.push(repository);
    if (at % 4 === 3) prod.push(promote(repository, making));
  }
  return {
    now,
    registries: [
      { name: 'ci', repositories: { kind: 'whole', items: ci }, records: { kind: 'whole', items: making.records.ci } },
      {
        name: 'prod',
        repositories: { kind: 'whole', items: prod },
        records: { kind: 'whole', items: making.records.prod },
      },
    ],
    builds: making.builds,
    organizations: [{ name: 'contoso' }],
    sources,
    usage: [makeUsage(world, ci, making.random)],
  };
}

function makeSource(source: string, references: number, { random }: Making): SourceFacts {
  const branches = Array.from({ length: references - 5 }, (_, at) => ({
    name: at === 0 ? 'main' : `feature/${source}-${at}`,
    lastActivity: now - random(60 * 24) * hour,
  }));
  const tags = Array.from({ length: 4 }, (_, at) => ({
    name: `v1.${at}`,
    date: now - random(300 * 24) * hour,
    commit: `${source}-c${random(100)}`,
  }));
  const pullRequests = [{ id: 12, state: 'active' as const, lastActivity: now }];
  return {
    source,
    branches: { kind: 'whole', items: branches },
    tags: { kind: 'whole', items: tags },
    pullRequests: { kind: 'whole', items: pullRequests },
  };
}

function makeRepository(at: number, { images, references }: PlanWorld, making: Making): RepositoryFact {
  const items: ImageFact[] = [];
  const repository = `team-${at % 40}/service-${at}`;
  while (items.length < images) {
    const ordinal = items.length;
    const [first, second] = [makeImage(`${at}.${ordinal}`, ordinal), makeImage(`${at}.${ordinal}b`, ordinal)];
    const isIndex = ordinal % 8 === 0 && items.length + 4 <= images;
    if (isIndex) items.push(first, second);
    const top = makeImage(`${at}.${ordinal}c`, ordinal, isIndex ? [first.digest, second.digest] : []);
    if (isIndex) items.push({ ...makeImage(`${at}.${ordinal}s`, ordinal), subject: top.digest });
    const id = record(top, { repository, source: `repo-${at}`, references }, making);
    items.push({ ...top, tags: tagsOf(id, ordinal) });
  }
  return { name: repository, images: { kind: 'whole', items } };
}

function makeImage(name: string, ordinal: number, children: readonly Digest[] = []): ImageFact {
  return {
    digest: digestOf(name),
    mediaType: children.length > 0 ? ociIndex : ociManifest,
    size: 1,
    locked: false,
    pushedAt: timeOf(ordinal),
    tags: [],
    children,
    subject: 'none',
  };
}

function timeOf(ordinal: number): number {
  return now - ordinal * 5 * hour;
}

/** Not hashed, which would leave memory behind; in one piece, as a parsed answer has it, and different at its beginning. */
function digestOf(name: string): Digest {
  const bytes = Buffer.from(name.padStart(32, '0')).reverse();
  return Buffer.from(`sha256:${bytes.toString('hex')}`).toString('latin1') as Digest;
}

function tagsOf(id: number, ordinal: number): ImageFact['tags'] {
  const names = [String(id), ...(id % 40 === 0 ? [`v1.${id}.0`] : []), ...(ordinal === 0 ? ['latest'] : [])];
  return names.map(name => ({ name, locked: false, changedAt: timeOf(ordinal) }));
}

interface Origin {
  readonly repository: string;
  readonly source: string;
  readonly references: number;
}

/** A build of the image, and its record; gives its id. */
function record(top: ImageFact, { repository, source, references }: Origin, making: Making): number {
  const id = making.builds.length + 1;
  const build = { organization: 'contoso', project: 'shop', id };
  const branch = making.random(references);
  const finishedAt = top.pushedAt;
  making.builds.push({
    build,
    definition,
    queuedAt: finishedAt && finishedAt - hour,
    startedAt: finishedAt && finishedAt - hour / 2,
    finishedAt,
    source,
    ref: branch === 0 ? 'refs/heads/main' : `refs/heads/feature/${source}-${branch}`,
    commit: `${source}-c${id % 100}`,
    state: making.random(5) === 0 ? alive : deleted,
    retainedBy: unheld,
  });
  const images = [{ repository, digest: top.digest, tags: [String(id)] }];
  making.records.ci.push({ build, definition, promoted: false, onBuildDeleted: 'delete', images });
  return id;
}

/** Everything of a repository, as it is. */
function promote({ name, images }: RepositoryFact, { records }: Making): RepositoryFact {
  const items = images.kind === 'whole' ? images.items : [];
  const repository = `stage/${name}`;
  // The last records are of the repository that was just made.
  for (const record of records.ci.slice(-items.length).filter(each => each.images[0]?.repository === name)) {
    const brought = record.images.map(image => ({ ...image, repository }));
    records.prod.push({ ...record, promoted: true, images: brought });
  }
  return { name: repository, images: { kind: 'whole', items } };
}

function makeUsage(
  { containers }: PlanWorld,
  repositories: readonly RepositoryFact[],
  random: (below: number) => number,
): PlanFacts['usage'][number] {
  const pick = () => {
    const { name, images } = repositories[random(repositories.length)] as RepositoryFact;
    const items = images.kind === 'whole' ? images.items : [];
    const image = items[random(Math.min(40, items.length))] as ImageFact;
    return { path: `mirror.example/stage/${name}`, image };
  };
  const uses = Array.from({ length: containers }, (_, at) => {
    const { path, image } = pick();
    const tag = image.tags[0]?.name;
    const byDigest = `${path}@${image.digest}`;
    return { image: at % 2 === 0 && tag ? `${path}:${tag}` : byDigest, imageId: byDigest, where: `pod shop/web-${at}` };
  });
  const releases = Array.from({ length: containers / 10 }, (_, at) => ({
    namespace: 'shop',
    name: `release-${at}`,
    oldestInUse: 15,
    revisions: Array.from({ length: 15 }, (_, revision) => {
      const { path, image } = pick();
      return { revision: revision + 1, status: 'superseded', images: [`${path}@${image.digest}`] };
    }),
  }));
  return {
    name: 'prod',
    takenAt: now - hour,
    uses: { kind: 'whole', items: uses },
    releases: { kind: 'whole', items: releases },
  };
}
