/** The benches by name: how large each is, and what it prints. */
import { findAcrPurge } from './acr-purge.ts';
import { type CleanWorld, cleanLine, measureClean, measurePurge } from './clean.ts';
import type { CleanOrder, CleanResult } from './clean-client.ts';
import { collectLine, measureCollect } from './collect.ts';
import { measureScale, publishedBudgets, scaleLine } from './delete-at-scale.ts';
import { measurePackage } from './package.ts';
import { measurePlan } from './plan.ts';
import { measurePromote, measurePromoteMemory } from './promote.ts';
import { measureMany } from './promote-many.ts';
import { measureRequests, totalOf } from './promote-requests.ts';
import { measureReconcile, reconcileLine } from './reconcile.ts';
import { measureRelease } from './release-build.ts';
import { bundleApart, runApart } from './run-apart.ts';
import { sumOf, tell } from './tally.ts';

/** One measurement. */
export interface Bench {
  /** What it does, a sentence or two. */
  readonly what: string;
  /** Tells what it finds on the way, and gives the figures of the last line. */
  readonly run: (say: (line: string) => void) => Promise<Figures>;
}

/** Figures by name; those that belong together are one below the other. */
export type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** Every bench. */
export const benches: Readonly<Record<string, Bench>> = {
  'release-build': {
    what: 'Counts requests, sign-in included, from a hint to every tag removed: one build of 10 images in 10 repositories, 2 of them two-platform indexes, with 100 and with 100,000 other tags in these repositories.',
    run: runReleaseBuild,
  },
  collect: {
    what: 'Counts requests and memory to collect 1,000 released digests (880 images, 40 indexes of two platforms) of 920 builds out of a repository of 50,000 manifests, 2,000 of them indexes. Takes about a minute.',
    run: runCollect,
  },
  'delete-at-scale': {
    what: "Deletes 1,000 builds of 2 images each beside 100 that live, while the registry enforces the published budgets of its Standard tier for one identity (reads 5000, writes 1000, deletes 500, lists of referrers 250, sign-ins 10,000 a minute), with minutes of 5 seconds: time runs 12 times as fast. Retry-After stays in whole seconds. The brake's limits are raised. Takes about two minutes.",
    run: runDeleteAtScale,
  },
  reconcile: {
    what: 'Counts requests, sign-in included, until the builds that are gone are known: 2,000 of 20,000 builds of 5 images each, so that there are 100,000 build tags in 1,000 repositories; as a part of listing every tag and every manifest, a thousand on a page. Then the run that releases them, and the run after it in which nothing changed. Takes about a minute.',
    run: runReconcile,
  },
  clean: {
    what: "A whole run of CleanImages on 50,000 images of 10,000 builds in 500 repositories, every answer 20 ms away: it looks and plans, takes the tags off what 1,000 builds left that are gone since the run before, and deletes the 5,000 images of 1,000 builds that were released by that run; then a second run in which nothing changed. The registry enforces the published budgets of its Standard tier for one identity, with minutes of 10 seconds: time runs six times as fast, the 20 ms do not. Retry-After stays in whole seconds. `floor` is the run's time as a part of the least that the budgets leave to its three steps, none of which may begin before the one before it is whole. Then, where it is on the path or can be built, `acr purge` deletes as many images by their age on the same emulator. Takes about twenty minutes.",
    run: runClean,
  },
  promote: {
    what: 'Promotes an image of 8 incompressible layers, 600 MB, between two docker-registries whose storage is memory, over http and https: wall times as parts of those of skopeo, of a floor (curl GET | curl PUT, four at a time) and of crane where it is installed, medians of 7 rounds in turns, process starts included; and the peak of our memory. Needs 3 GB of memory, and takes about two minutes.',
    run: async say => ({ ...(await measurePromote({ layers: 8, layerBytes: 75_000_000 }, 7, say)) }),
  },
  'promote-large': {
    what: 'The peak of our memory while an image of 400 MB, and one of 4 GB, is promoted over https. Needs 10 GB of memory.',
    run: runPromoteLarge,
  },
  'promote-noop': {
    what: 'Promotes 50 images that are there already, 20 ms away over https: wall time of one process of ours as a part of what skopeo takes, one image after another and eight at a time, medians of 5 rounds in turns; and our requests for each image, which has one tag. Takes about four minutes.',
    run: async say => ({ ...(await measureMany({ ...many, present: true }, 5, say)) }),
  },
  'promote-many': {
    what: 'The same with 50 images that are not there, each of 6 blobs of 100 KB. Takes about seven minutes.',
    run: async say => ({ ...(await measureMany({ ...many, present: false }, 5, say)) }),
  },
  'promote-requests': {
    what: 'Counts what a promotion asks of source and target for one image of 5 layers, sign-in aside: not there and there, alone and with a signature, from one emulated Azure Container Registry to another.',
    run: runPromoteRequests,
  },
  package: {
    what: 'Packages a chart of 200 templates and 10 subcharts, half of them archives: wall time of our step in a process that did nothing before, from the folder to the file written, as a part of what helm 3.10.1 takes as a whole process, medians of 15 rounds in turns; the same with the start of our process is said before.',
    run: runPackage,
  },
  plan: {
    what: 'Plans what stays and what goes from facts in memory: repositories of 200 images each, 20 branches and tags of git for each, 5 running containers and as many revisions of Helm and more; 250, 500 and 1,000 of them, so that the last have 200,000 images and 5,000 containers. Seconds of the plan alone, medians of 3 processes that did nothing before; the peak is that of the whole process, the facts included.',
    run: async say => ({ ...(await measurePlan(3, say)) }),
  },
};

const many = { images: 50, size: { layers: 5, layerBytes: 100_000, configBytes: 100_000 }, roundTripMs: 20 };

async function runPromoteLarge(): Promise<Figures> {
  const [small = 0, large = 0] = await measurePromoteMemory([50, 500].map(mb => ({ layers: 8, layerBytes: mb * 1e6 })));
  return { rssMB: small, rssLargeMB: large };
}

async function runPromoteRequests(say: (line: string) => void): Promise<Figures> {
  const figures = Object.entries(await measureRequests(5));
  for (const [name, { source, target }] of figures) {
    say(`${name}: source: ${tell(source) || 'nothing'}; target: ${tell(target) || 'nothing'}`);
  }
  return Object.fromEntries(figures.map(([name, asked]) => [name, totalOf(asked)]));
}

async function runPackage(say: (line: string) => void): Promise<Figures> {
  const { helm, helmWithStart } = await measurePackage(15, say);
  say(`with the start of our process: ${helmWithStart} of helm`);
  return { helm };
}

async function runReleaseBuild(say: (line: string) => void): Promise<Figures> {
  const build = { images: 10, indexes: 2 };
  const small = await measureRelease({ ...build, otherTags: 100, otherRecords: 10 }, runApart);
  const large = await measureRelease({ ...build, otherTags: 100_000, otherRecords: 10 }, runApart);
  const recorded = await measureRelease({ ...build, otherTags: 100_000, otherRecords: 10_000 }, runApart);
  say(`100 other tags: ${tell(small)}`);
  say(`100,000 other tags: ${tell(large)}`);
  say(`100,000 other tags, and 10,000 records of other builds of the project: ${tell(recorded)}`);
  return {
    requestsSmall: sumOf(small),
    requestsLarge: sumOf(large),
    requestsWithRecords: sumOf(recorded),
    bound: 6 * build.images + 15,
  };
}

async function runCollect(say: (line: string) => void): Promise<Figures> {
  const world = { manifests: 50_000, indexes: 2000, released: 1000, releasedIndexes: 40 };
  const figures = await measureCollect(world, runApart);
  say(`collection, of which "requests" is the sum: ${tell(figures.collection)}`);
  say(`bookkeeping (evidence, tombstone and record of each build): ${tell(figures.bookkeeping)}`);
  say('bound: pages of the list of manifests + indexes + 3 for each deleted digest, platforms of an index among them');
  say('rssMB: peak of the process that collected: our code bundled, on plain node, the emulators elsewhere');
  return collectLine(figures);
}

async function runReconcile(say: (line: string) => void): Promise<Figures> {
  const figures = await measureReconcile({ repositories: 1000, builds: 20_000, images: 5, gone: 2000 }, runApart);
  say(`listing every tag and manifest: ${tell(figures.listing)}`);
  for (const step of ['find', 'release', 'second'] as const) {
    const { registry, azure } = figures[step];
    say(`${step}: registry: ${tell(registry)}; Azure DevOps: ${tell(azure)}`);
  }
  for (const { seconds, rssMB } of figures.clients) say(`${seconds} s, ${rssMB} MB`);
  return reconcileLine(figures);
}

async function runClean(say: (line: string) => void): Promise<Figures> {
  const budgets = { ...publishedBudgets(10_000), windowMs: 10_000 };
  const world: CleanWorld = { repositories: 500, builds: 10_000, images: 5, gone: 2000, latencyMs: 20, budgets };
  const client = await bundleApart<CleanOrder, CleanResult>('scripts/bench/clean-process.ts');
  const figures = await measureClean(world, order => client.run(order));
  await client.remove();
  for (const step of ['whole', 'second'] as const) {
    const { requests, throttled, floors, client: of } = figures[step];
    say(`${step}, ${of.seconds} s, of which ${of.lookSeconds} s to look; ${of.rssMB} MB: ${tell(requests)}`);
    say(`${step}, floors of looking, releasing, deleting in s: ${floors.map(each => each.toFixed(1)).join(', ')}`);
    say(`${step}, 429 by class: ${tell(throttled) || 'none'}`);
  }
  const purge = await findAcrPurge(say);
  if (purge) {
    const { result, requests, throttled, floor, deleted } = await measurePurge(world, purge);
    say(`acr purge, ${result.seconds} s, ${deleted} of ${figures.deleted} images deleted: ${tell(requests)}`);
    say(
      `acr purge, 429 by class: ${tell(throttled) || 'none'}; floor ${floor.toFixed(1)} s; ${result.failure ?? 'it ended well'}`,
    );
  }
  return cleanLine(figures, world.builds * world.images);
}

async function runDeleteAtScale(say: (line: string) => void): Promise<Figures> {
  const world = { builds: 1000, living: 100, repositories: 2, budgets: publishedBudgets(5000) };
  const figures = await measureScale(world, runApart);
  for (const step of ['release', 'collect'] as const) {
    const { requests, throttled, client } = figures[step];
    say(`${step}, ${client.seconds} s: ${tell(requests)}`);
    say(
      `${step}, 429 by class: ${tell(throttled) || 'none'}; waited ${client.waits.count} times, ${client.waits.ms} ms`,
    );
  }
  return scaleLine(figures, world.builds);
}
