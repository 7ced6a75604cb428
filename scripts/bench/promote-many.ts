/** What many small images cost where every answer takes its time: those that are there already, and those that are not. */
import { startDelay } from './delay.ts';
import type { PromoteOrder, PromoteResult } from './promote-client.ts';
import { skopeo } from './promote-peers.ts';
import { type ImageSize, startPromoteWorld } from './promote-registries.ts';
import { ratioOf, runRounds, tellRounds } from './rounds.ts';
import { bundleApart } from './run-apart.ts';

/** How many images, how large, over which line. */
export interface ManyWorld {
  readonly images: number;
  readonly size: ImageSize;
  readonly roundTripMs: number;
  /** Whether they are in the target already. */
  readonly present: boolean;
}

/** Ratios of our wall time, and what we asked. */
export interface ManyFigures {
  readonly skopeo: number;
  /** Eight at a time. */
  readonly skopeo8: number;
  readonly requestsPerImage: number;
}

/** Runs one order, here or in a process of its own. */
export type RunPromote = (order: PromoteOrder) => Promise<PromoteResult>;

/** Promotes images in one process of ours, and in one of skopeo's for each image, in turns. */
export async function measureMany(world: ManyWorld, rounds: number, say: (line: string) => void): Promise<ManyFigures> {
  const client = await bundleApart<PromoteOrder, PromoteResult>('scripts/bench/promote-process.ts', 'task');
  try {
    return await withWorld(world, async (order, clear) => {
      let requests = 0;
      const ours = async (): Promise<void> => {
        const result = await client.run(order);
        requests = result.requests;
        if (result.tagged !== (world.present ? 0 : world.images)) throw new Error(`${result.tagged} were promoted.`);
      };
      if (world.present) await client.run(order);
      const contenders = { ours, skopeo: () => skopeo()(order), skopeo8: () => skopeo(8)(order) };
      const measured = await runRounds(contenders, rounds, world.present ? async () => {} : clear);
      say(tellRounds(measured));
      return {
        skopeo: ratioOf(measured, 'ours', 'skopeo'),
        skopeo8: ratioOf(measured, 'ours', 'skopeo8'),
        requestsPerImage: requests / world.images,
      };
    });
  } finally {
    await client.remove();
  }
}

/** Counts what each image costs, without a clock; `run` does the work. */
export function countRequests(world: ManyWorld, run: RunPromote): Promise<number> {
  return withWorld(world, async order => {
    if (world.present) await run(order);
    return (await run(order)).requests / world.images;
  });
}

/** Starts registries behind a slow line, and gives the order that leads through it. */
async function withWorld<T>(
  { images, size, roundTripMs }: ManyWorld,
  work: (order: PromoteOrder, clear: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const world = await startPromoteWorld('https', images, size);
  const delay = await startDelay({ ports: world.ports, milliseconds: roundTripMs / 2 });
  try {
    const [source, target] = delay.ports.map(port => `https://localhost:${port}`);
    const order = { ...world.order, source: String(source), target: String(target) };
    return await work(order, () => world.clear());
  } finally {
    await delay.close();
    await world.close();
  }
}
