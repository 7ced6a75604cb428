/** How long a plan takes, and how much memory, as the registries grow. */
import type { PlanResult } from './plan-client.ts';
import type { PlanWorld } from './plan-world.ts';
import { bundleApart } from './run-apart.ts';

/** Seconds by the number of images, and the peak of the largest in MB. */
export interface PlanFigures {
  readonly seconds: Readonly<Record<'50k' | '100k' | '200k', number>>;
  readonly rssMB: number;
}

const perRepository = { images: 200, references: 20 };

/** Plans each size in processes of their own, and takes the median of the times and the largest of the peaks. */
export async function measurePlan(rounds: number, say: (line: string) => void): Promise<PlanFigures> {
  const client = await bundleApart<PlanWorld, PlanResult>('scripts/bench/plan-process.ts');
  const measure = async (repositories: number): Promise<{ seconds: number; rssMB: number }> => {
    const results: PlanResult[] = [];
    for (let round = 0; round < rounds; round += 1) {
      results.push(await client.run({ ...perRepository, repositories, containers: repositories * 5 }));
    }
    const [first] = results;
    const times = results.map(each => each.seconds).sort((one, other) => one - other);
    const rssMB = Math.max(...results.map(each => each.rssMB));
    say(
      `${repositories} repositories: ${first?.keep} images stay, ${first?.delete} go; ${times.map(hundredths).join(', ')} s, ${rssMB} MB; ${new Set(results.map(each => each.hash)).size} hash in all rounds`,
    );
    return { seconds: hundredths(times[Math.floor(rounds / 2)] ?? Number.NaN), rssMB };
  };
  try {
    const [small, middle, large] = [await measure(250), await measure(500), await measure(1000)];
    return {
      seconds: { '50k': small.seconds, '100k': middle.seconds, '200k': large.seconds },
      rssMB: large.rssMB,
    };
  } finally {
    await client.remove();
  }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
