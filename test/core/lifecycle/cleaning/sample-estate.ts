/**
 * An estate as a middle-sized company has it, to look at pages by: three registries, forty repositories, three years.
 * Layers are shared as they are in life: a base for a team, dependencies for some weeks, a small layer for each build.
 */

import type { UseFact } from '../../../../core/kubernetes/usage.ts';
import { createInventory, type Inventory, type ReadManifest } from '../../../../core/lifecycle/cleaning/inventory.ts';
import { type KeepPlan, planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
  RegistryFacts,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { deleteSchema, keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { helmConfig, ociIndex, ociManifest } from '../../../../core/oci/media-types.ts';
import { createRandom } from '../../../../scripts/bench/plan-world.ts';
import { digestOf, now } from '../keep-policy/policy-world.ts';

const hour = 3_600_000;
const day = 24 * hour;
const megabyte = 1_000_000;

/** Repositories by team: how many images each has, and how large a build's own layer is in megabytes. */
const teams: Readonly<Record<string, readonly (readonly [name: string, images: number, megabytes: number])[]>> = {
  shop: [
    ['web', 90, 46],
    ['api', 80, 38],
    ['cart', 40, 21],
    ['checkout', 36, 24],
    ['catalog', 44, 60],
    ['images', 20, 210],
  ],
  payments: [
    ['ledger', 60, 33],
    ['gateway', 52, 29],
    ['fraud', 24, 340],
    ['invoices', 30, 41],
  ],
  platform: [
    ['auth', 48, 18],
    ['proxy', 22, 12],
    ['metrics', 18, 26],
    ['agent', 66, 95],
    ['jobs', 26, 31],
    ['mail', 14, 22],
  ],
  search: [
    ['indexer', 34, 120],
    ['query', 38, 75],
    ['models', 16, 890],
  ],
  '': [
    ['legacy-portal', 70, 180],
    ['tools', 12, 64],
    ['reporting', 25, 150],
    ['batch', 9, 88],
  ],
};

/** What a sample gives. */
export interface Sample {
  readonly facts: PlanFacts;
  readonly rules: PlanRules;
  readonly plan: KeepPlan;
  readonly inventory: Inventory;
}

interface Making {
  readonly random: (below: number) => number;
  readonly builds: BuildFact[];
  readonly inventory: Inventory;
}

/** Makes the estate, the same each time. */
export function makeSample(): Sample {
  const making: Making = { random: createRandom(20261125), builds: [], inventory: createInventory() };
  const ci = makeCi(making);
  const prod = promote(
    ci,
    'prod',
    ['shop/web', 'shop/api', 'payments/ledger', 'payments/gateway', 'platform/auth', 'search/query'],
    making,
  );
  const qa = promote(
    ci,
    'qa',
    [
      'shop/web',
      'shop/api',
      'shop/cart',
      'payments/ledger',
      'payments/fraud',
      'platform/auth',
      'search/query',
      'search/indexer',
    ],
    making,
  );
  const facts: PlanFacts = {
    now,
    registries: [ci, qa, prod],
    builds: making.builds,
    organizations: [{ name: 'https://dev.azure.com/contoso' }],
    sources: ['shop', 'payments', 'platform', 'search', ''].map(team => ({
      source: `https://dev.azure.com/contoso/_git/${team || 'legacy'}`,
      branches: { kind: 'whole', items: [{ name: 'main', lastActivity: now - 3 * hour }] },
      tags: { kind: 'whole', items: [] },
      pullRequests: { kind: 'whole', items: [] },
    })),
    usage: [
      {
        name: 'prod',
        takenAt: now - hour,
        uses: { kind: 'whole', items: runningOf(prod) },
        releases: { kind: 'whole', items: [] },
      },
    ],
  };
  const rules = rulesOf();
  return { facts, rules, plan: planImages(rules, facts), inventory: making.inventory };
}

function rulesOf(): PlanRules {
  return {
    keep: keepSchema.parse({ tags: ['v*'], references: [{ branch: 'main', images: { last: 10 } }] }),
    delete: deleteSchema.parse({ untagged: { olderThan: '24h' } }),
    registries: [
      { name: 'ci', onBuildDeleted: 'delete' },
      { name: 'qa', onBuildDeleted: 'delete' },
      { name: 'prod', onBuildDeleted: 'delete' },
    ],
    organizations: [
      {
        name: 'https://dev.azure.com/contoso',
        buildTagPrefix: '',
        alsoOwn: [],
        projects: ['shop', 'payments', 'platform', 'search', 'legacy'].map(name => ({ name, repositories: ['*'] })),
      },
    ],
    usage: [{ name: 'prod' }],
  };
}

function makeCi(making: Making): RegistryFacts {
  const records: RecordFact[] = [];
  const repositories = Object.entries(teams).flatMap(([team, all]) =>
    all.map(([name, images, megabytes]) => {
      const repository = team === '' ? name : `${team}/${name}`;
      const items = Array.from({ length: images }, (_, at) =>
        makeBuilt({ team, repository, at, megabytes }, making, records),
      );
      return { name: repository, images: { kind: 'whole' as const, items: items.flat() } };
    }),
  );
  const charts = ['shop', 'payments'].map(team => ({
    name: `charts/${team}`,
    images: { kind: 'whole' as const, items: Array.from({ length: 8 }, (_, at) => makeChart(team, at, making)) },
  }));
  return {
    name: 'ci',
    repositories: { kind: 'whole', items: [...repositories, ...charts] },
    records: { kind: 'whole', items: records },
  };
}

interface Wanted {
  readonly team: string;
  readonly repository: string;
  readonly at: number;
  readonly megabytes: number;
}

/** What one build pushed: an image, or an index of two platforms; sometimes an attempt that lost its tag. */
function makeBuilt({ team, repository, at, megabytes }: Wanted, making: Making, records: RecordFact[]): ImageFact[] {
  const { random, builds } = making;
  const pushedAt = now - (at * (4 + (repository.length % 9)) + random(4)) * day - random(20) * hour - hour;
  const key = `${repository} ${at}`;
  const isMulti = repository.length % 3 === 0;
  const platforms = isMulti ? ['amd64', 'arm64'] : ['amd64'];
  const images = platforms.map(platform => {
    const layers = [
      layer(`base ${team} ${platform} ${Math.floor(at / 25)}`, 31 * megabyte),
      layer(`runtime ${team} ${platform} ${Math.floor(at / 12)}`, 74 * megabyte),
      layer(`dependencies ${repository} ${platform} ${Math.floor(at / 6)}`, megabytes * 2 * megabyte),
      layer(`${key} ${platform}`, megabytes * (700_000 + random(600_000))),
    ];
    return makeImage(`${key} ${platform}`, { pushedAt, layers }, making);
  });
  const top = isMulti
    ? makeImage(key, { pushedAt, layers: [], children: images.map(each => each.digest) }, making)
    : images[0];
  if (!top) return [];
  const id = builds.length + 20_001;
  const isOld = now - pushedAt > 150 * day;
  const isReleased = at % 29 === 7;
  builds.push(makeBuild({ team, id, pushedAt, isGone: isOld && at % 11 !== 0 }));
  const build = { organization: 'https://dev.azure.com/contoso', project: team || 'legacy', id };
  const isRecorded = team !== '' || at < 12;
  if (isRecorded) {
    records.push({
      build,
      definition: 7,
      promoted: false,
      onBuildDeleted: 'delete',
      images: [{ repository, digest: top.digest, tags: [String(id)] }],
    });
  }
  const wasReleased = isReleased && isOld && isRecorded && at % 11 !== 0;
  const tags = nameBuilt(id, at, wasReleased).map(name => ({ name, locked: at % 41 === 40, changedAt: pushedAt }));
  const released = wasReleased ? { released: [build], releasedAt: now - (at % 2 === 0 ? 3 : 30) * hour } : {};
  return [{ ...top, tags, ...released }, ...(isMulti ? images : [])];
}

/** The tags of what a build pushed. */
function nameBuilt(id: number, at: number, wasReleased: boolean): string[] {
  return [
    ...(wasReleased || at % 17 === 16 ? [] : [String(id)]),
    ...(at % 23 === 5 ? [`v1.${at}.0`] : []),
    ...(at === 0 ? ['latest'] : []),
  ];
}

function makeBuild({
  team,
  id,
  pushedAt,
  isGone,
}: {
  team: string;
  id: number;
  pushedAt: number;
  isGone: boolean;
}): BuildFact {
  return {
    build: { organization: 'https://dev.azure.com/contoso', project: team || 'legacy', id },
    definition: 7,
    number: `20260101.${id}`,
    queuedAt: pushedAt - hour / 2,
    startedAt: pushedAt - hour / 3,
    finishedAt: pushedAt + hour / 6,
    source: `https://dev.azure.com/contoso/_git/${team || 'legacy'}`,
    ref: id % 5 === 0 ? 'refs/heads/feature/basket' : 'refs/heads/main',
    commit: digestOf(`commit ${id}`).slice(7, 47),
    state: isGone ? { kind: 'deleted' } : { kind: 'alive' },
    retainedBy: { kind: 'whole', items: id % 37 === 0 && !isGone ? ['the lease of prod'] : [] },
  };
}

interface Content {
  readonly pushedAt: number;
  readonly layers: readonly { readonly mediaType: string; readonly digest: Digest; readonly size: number }[];
  readonly children?: readonly Digest[];
  readonly configType?: string;
}

function makeImage(name: string, content: Content, { inventory }: Making, registry = 'ci'): ImageFact {
  const { pushedAt, layers, children = [], configType = 'application/vnd.oci.image.config.v1+json' } = content;
  const digest = digestOf(name);
  const mediaType = children.length > 0 ? ociIndex : ociManifest;
  const config =
    children.length > 0 ? {} : { config: { mediaType: configType, digest: digestOf(`config of ${name}`), size: 5200 } };
  const manifest: ReadManifest = { digest, mediaType, bytes: new Uint8Array(1400), layers: [...layers], ...config };
  inventory.addManifest(registry, manifest);
  const size = layers.reduce((sum, each) => sum + each.size, 0);
  return { digest, mediaType, size, locked: false, pushedAt, tags: [], children, subject: 'none' };
}

function layer(name: string, size: number): Content['layers'][number] {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(`layer ${name}`),
    size: Math.round(size),
  };
}

function makeChart(team: string, at: number, making: Making): ImageFact {
  const pushedAt = now - at * 40 * day - day;
  const chart = makeImage(
    `chart ${team} ${at}`,
    { pushedAt, layers: [layer(`chart ${team} ${at}`, 61_000)], configType: helmConfig },
    making,
  );
  return { ...chart, tags: [{ name: `1.${9 - at}.0`, locked: false, changedAt: pushedAt }] };
}

/** Copies of every third image that a build of main pushed and that still has its tag. */
function promote(
  from: RegistryFacts,
  name: string,
  repositories: readonly string[],
  { inventory }: Making,
): RegistryFacts {
  const records = from.records.kind === 'whole' ? from.records.items : [];
  const all = from.repositories.kind === 'whole' ? from.repositories.items : [];
  const brought: RecordFact[] = [];
  const items = all.flatMap(({ name: repository, images }) => {
    if (!repositories.includes(repository) || images.kind === 'unread') return [];
    const own = records.filter(({ images: [image] }, at) => image?.repository === repository && at % 3 === 0);
    const chosen = new Set(own.flatMap(record => record.images.map(each => each.digest)));
    const tops = images.items.filter(each => chosen.has(each.digest) && each.tags.length > 0);
    const children = new Set(tops.flatMap(each => each.children ?? []));
    for (const record of own) {
      if (tops.some(each => each.digest === record.images[0]?.digest)) brought.push({ ...record, promoted: true });
    }
    const copied = [...tops, ...images.items.filter(each => children.has(each.digest))];
    copyInventory(inventory, name, copied);
    return [{ name: repository, images: { kind: 'whole' as const, items: copied.map(withoutOtherTags) } }];
  });
  return { name, repositories: { kind: 'whole', items }, records: { kind: 'whole', items: brought } };
}

function withoutOtherTags(image: ImageFact): ImageFact {
  return { ...image, tags: image.tags.filter(tag => /^\d+$/.test(tag.name)) };
}

function copyInventory(inventory: Inventory, to: string, images: readonly ImageFact[]): void {
  const from = inventory.of('ci');
  for (const { digest, mediaType } of images) {
    const [, ...blobs] = from.blobsOf(digest) ?? [];
    const layers = blobs.map(blob => ({ ...layer(`blob ${blob}`, 0), size: from.sizeOf(blob) }));
    inventory.addManifest(to, { digest, mediaType, bytes: new Uint8Array(1400), layers });
  }
}

/** The newest copy of each repository runs, and one image that is in no registry any more. */
function runningOf(registry: RegistryFacts): UseFact[] {
  const repositories = registry.repositories.kind === 'whole' ? registry.repositories.items : [];
  const running = repositories.flatMap(({ name, images }) => {
    const [newest, before] = images.kind === 'whole' ? images.items.filter(each => each.tags.length > 0) : [];
    return [newest, before].flatMap((image, at) =>
      image
        ? [{ image: `contosoprod.azurecr.io/${name}@${image.digest}`, where: `pod ${name.replace('/', '-')}/${at}` }]
        : [],
    );
  });
  return [
    ...running,
    { image: `contosoprod.azurecr.io/payments/ledger:20000`, where: 'deployment payments/ledger' },
    { image: `contosoprod.azurecr.io/search/query@${digestOf('long gone')}`, where: 'cronjob search/nightly' },
    { image: 'mcr.microsoft.com/oss/kubernetes/pause:3.9', where: 'pod kube-system/pause' },
  ];
}
