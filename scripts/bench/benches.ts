/** The benches by name: how large each is, and what it prints. */
import { collectLine, measureCollect } from './collect.ts';
import { measureScale, publishedBudgets, scaleLine } from './delete-at-scale.ts';
import { measureRelease } from './release-build.ts';
import { runApart } from './run-apart.ts';
import { sumOf, tell } from './tally.ts';

/** One measurement. */
export interface Bench {
  /** What it does, a sentence or two. */
  readonly what: string;
  /** Tells what it finds on the way, and gives the figures of the last line. */
  readonly run: (say: (line: string) => void) => Promise<Readonly<Record<string, number>>>;
}

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
};

async function runReleaseBuild(say: (line: string) => void): Promise<Readonly<Record<string, number>>> {
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

async function runCollect(say: (line: string) => void): Promise<Readonly<Record<string, number>>> {
  const world = { manifests: 50_000, indexes: 2000, released: 1000, releasedIndexes: 40 };
  const figures = await measureCollect(world, runApart);
  say(`collection, of which "requests" is the sum: ${tell(figures.collection)}`);
  say(`bookkeeping (evidence, tombstone and record of each build): ${tell(figures.bookkeeping)}`);
  say('bound: pages of the list of manifests + indexes + 3 for each deleted digest, platforms of an index among them');
  say('rssMB: peak of the process that collected: our code bundled, on plain node, the emulators elsewhere');
  return collectLine(figures);
}

async function runDeleteAtScale(say: (line: string) => void): Promise<Readonly<Record<string, number>>> {
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
