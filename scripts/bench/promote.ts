/** How fast a large image goes from one registry to another, beside those who do the same. */

import type { PromoteOrder, PromoteResult } from './promote-client.ts';
import { findCrane, floor, type Peer, skopeo } from './promote-peers.ts';
import { type ImageSize, startPromoteWorld } from './promote-registries.ts';
import { ratioOf, runRounds, tellRounds } from './rounds.ts';
import { type Apart, bundleApart } from './run-apart.ts';

/** Ratios of our wall time, and the peak of our memory in any round. */
export interface PromoteFigures {
  readonly http: Readonly<Record<string, number>>;
  readonly https: Readonly<Record<string, number>>;
  readonly rssMB: number;
}

type Client = Apart<PromoteOrder, PromoteResult>;

/** Promotes one image over and over, over http and https, ours and the others in turns. */
export async function measurePromote(
  size: ImageSize,
  rounds: number,
  say: (line: string) => void,
): Promise<PromoteFigures> {
  const client: Client = await bundleApart('scripts/bench/promote-process.ts', 'task');
  const crane = await findCrane();
  const peers: Record<string, Peer> = { skopeo: skopeo(), floor, ...(crane && { crane }) };
  let rssMB = 0;
  const over = async (scheme: 'http' | 'https'): Promise<Readonly<Record<string, number>>> => {
    const world = await startPromoteWorld(scheme, 1, size);
    try {
      const { order } = world;
      const ours = async (): Promise<void> => {
        const result = await client.run(order);
        rssMB = Math.max(rssMB, result.rssMB);
        if (result.tagged !== 1) throw new Error('The image was not promoted.');
      };
      const others = Object.entries(peers).map(([name, copy]) => [name, () => copy(order)]);
      const measured = await runRounds({ ours, ...Object.fromEntries(others) }, rounds, () => world.clear());
      say(`${scheme}: ${tellRounds(measured)}`);
      return Object.fromEntries(Object.keys(peers).map(name => [name, ratioOf(measured, 'ours', name)]));
    } finally {
      await world.close();
    }
  };
  try {
    const figures = { http: await over('http'), https: await over('https') };
    return { ...figures, rssMB };
  } finally {
    await client.remove();
  }
}

/** Promotes an image of each size once, over https; gives the peak of our memory for each. */
export async function measurePromoteMemory(sizes: readonly ImageSize[]): Promise<number[]> {
  const client: Client = await bundleApart('scripts/bench/promote-process.ts', 'task');
  try {
    const peaks: number[] = [];
    for (const size of sizes) {
      const world = await startPromoteWorld('https', 1, size);
      try {
        peaks.push((await client.run(world.order)).rssMB);
      } finally {
        await world.close();
      }
    }
    return peaks;
  } finally {
    await client.remove();
  }
}
