/** What a promotion asks of the two registries for one image, sign-in aside: exact, by operation. */
import {
  type CopyWorld,
  copyAll,
  errand,
  putShape,
  type Site,
  startCopyWorld,
} from '../../test/core/oci/copy-world.ts';
import { makeImage, makeSignature } from '../../test/support/images.ts';
import { countBy, sumOf, type Tally } from './tally.ts';

/** Requests to the source and to the target. */
export interface Asked {
  readonly source: Tally;
  readonly target: Tally;
}

/** The four cases, each of one image with one tag: not there, and there; alone, and with a signature. */
export interface RequestFigures {
  readonly cold: Asked;
  readonly warm: Asked;
  readonly coldSigned: Asked;
  readonly warmSigned: Asked;
}

/** Counts, for an image of so many layers and a config. */
export async function measureRequests(layers: number): Promise<RequestFigures> {
  const world = await startCopyWorld();
  try {
    const promote = async (name: string, referrers: boolean): Promise<Asked> => {
      take(world.source);
      take(world.target);
      await copyAll([errand(world, name, makeImage(name, { layers }), ['v1'])], { referrers });
      return { source: take(world.source), target: take(world.target) };
    };
    for (const name of ['team/plain', 'team/signed']) await push(world, name, layers);
    return {
      cold: await promote('team/plain', false),
      warm: await promote('team/plain', false),
      coldSigned: await promote('team/signed', true),
      warmSigned: await promote('team/signed', true),
    };
  } finally {
    await world.close();
  }
}

/** All requests of one case. */
export function totalOf({ source, target }: Asked): number {
  return sumOf(source) + sumOf(target);
}

async function push({ source }: CopyWorld, name: string, layers: number): Promise<void> {
  const root = makeImage(name, { layers });
  await putShape(source, name, { root, referrers: [makeSignature(root)] });
}

function take({ acr }: Site): Tally {
  const asked = (acr?.requests.all() ?? []).filter(
    ({ operation, status }) => !operation.startsWith('oauth2.') && status !== 401,
  );
  const tally = countBy(asked, each => each.operation);
  acr?.requests.clear();
  return tally;
}
