/** Runs over two registries that are killed, fail or are stopped anywhere, in either step, and what is there in the end. */
import { deepEqual, ok } from 'node:assert/strict';
import { mapConcurrently } from '../../../../core/base/concurrency.ts';
import type { AcrEmulator } from '../../../emulators/acr/acr.ts';
import { day, hour } from '../estate.ts';
import { type CleaningOptions, type CleaningWorld, startCleaning } from './cleaning-world.ts';

/** A test run takes every so manieth moment; `RANDOM_WORLDS` (npm run soak) takes all. */
const stride = process.env['RANDOM_WORLDS'] === undefined ? 12 : 1;

type Interruption = 'killed' | 'failing' | 'stopped';

describe('a run over two registries', function () {
  this.timeout(stride === 1 ? 3_600_000 : 180_000);

  for (const step of ['first', 'second'] as const) {
    for (const how of ['killed', 'failing', 'stopped'] as const) {
      it(`that is ${how} anywhere on the ${step} day ends as one that is not, and loses nothing that is needed`, async () => {
        const { end, moments } = await live(step, how, Number.POSITIVE_INFINITY);
        ok(moments > 20, `${moments} moments`);
        const names = end.map(registry => registry.map(([name]) => name));
        deepEqual(names, [['api', 'image-lifecycle/builds/', 'image-lifecycle/tombstones/', 'untagged'], []]);
        const all = Array.from({ length: Math.ceil(moments / stride) }, (_, at) => 1 + at * stride);
        await mapConcurrently(all, 3, async moment => {
          deepEqual((await live(step, how, moment)).end, end, `${how} at ${moment}`);
        });
      });
    }
  }
});

type Repository = readonly [name: string, tags: unknown, manifests: number];

interface Life {
  /** The repositories of each registry, with their tags and how many manifests there are. */
  readonly end: readonly (readonly Repository[])[];
  /** Requests to the registries, or questions for the time, of the run that is interrupted. */
  readonly moments: number;
}

async function live(step: 'first' | 'second', how: Interruption, moment: number): Promise<Life> {
  const world = await startCleaning();
  try {
    const { options, check } = await fill(world);
    if (step === 'second') {
      await world.clean(options);
      world.ci.advance(day + hour);
    }
    const moments = await interrupt(world, options, how, moment);
    check();
    for (let days = 0; days < 4; days += 1) {
      const { report } = await world.clean(options);
      deepEqual([report.failures, report.braked, report.stopped], [[], [], []]);
      check();
      world.ci.advance(day + hour);
    }
    return { end: [world.ci.acr, world.stage].map(summarize), moments };
  } finally {
    await world.close();
  }
}

/** Of each way to go, something; and beside it something that stays. */
async function fill(world: CleaningWorld): Promise<{ options: CleaningOptions; check: () => void }> {
  const { ci } = world;
  const images = ci.acr.world;
  const at = ci.acr.clock.now() - 3 * day;
  const index = images.putIndex('web', [images.putImage('web', { at }), images.putImage('web', { at })], { at });
  images.putArtifact('web', { artifactType: 'application/vnd.sig', subject: index, at });
  const version = images.putImage('api', { tags: ['v1.0.0'], at });
  const running = images.putImage('api', { at });
  const dead = await ci.build([
    { repository: 'web', reference: index.digest },
    { repository: 'api', reference: version.digest },
  ]);
  const deployed = await ci.build([{ repository: 'api', reference: running.digest }]);
  const living = await ci.build([{ repository: 'api', reference: images.putImage('api', { at }).digest }]);
  await world.promote(dead);
  for (const tag of [undefined, 'kept']) images.putImage('untagged', { at, ...(tag !== undefined && { tags: [tag] }) });
  const { id: old } = ci.ado.world.addBuild({
    definitionId: ci.definitionId,
    startTime: at - hour,
    finishTime: at + hour,
  });
  images.putImage('old', { tags: [String(old)], at });
  for (const id of [dead, deployed, old]) ci.ado.world.deleteBuild(id);
  ci.advance(2 * day);
  const policy = `keep: { references: [], newerThan: 0s }
delete: { untagged: { olderThan: 24h }, withoutRecord: { tagsMatching: "/^[0-9]+$/", definitions: [${ci.definitionId}] } }`;
  const clusters = { aks: [`mirror.example/api@${running.digest}`] };
  return {
    options: { policy, clusters, prod: 'onBuildDeleted: delete' },
    check: () => {
      const { 'v1.0.0': released, [deployed]: used, [living]: alive } = images.tags('api');
      deepEqual([released, used, alive !== undefined], [version.digest, running.digest, true]);
      ok(images.tags('untagged')['kept']);
    },
  };
}

/** Carries out a plan and interrupts that at its so manieth moment; gives how many there were. */
async function interrupt(
  world: CleaningWorld,
  options: CleaningOptions,
  how: Interruption,
  moment: number,
): Promise<number> {
  const look = await world.look(options);
  const controller = new AbortController();
  let count = 0;
  for (const { faults } of how === 'stopped' ? [] : [world.ci.acr, world.stage]) {
    faults.intercept = (_request, phase) => {
      if (phase === 'before') return count >= moment && (how === 'killed' || count < moment + 7) ? 'cut' : 'proceed';
      count += 1;
      if (count < moment) return 'proceed';
      if (how === 'killed') controller.abort(new Error('killed'));
      return how === 'killed' || count < moment + 7 ? 'cut' : 'proceed';
    };
  }
  const until = (): boolean => {
    count += how === 'stopped' ? 1 : 0;
    return how === 'stopped' && count >= moment;
  };
  await world.carryOut(look, options, { signal: controller.signal, until }).catch((thrown: Error) => {
    if (thrown.message !== 'killed') throw thrown;
  });
  for (const { faults } of [world.ci.acr, world.stage]) faults.clear();
  return count;
}

function summarize({ world }: AcrEmulator): Repository[] {
  return world.repositories().map(name => {
    const isOurs = name.startsWith('image-lifecycle/');
    return [
      name.replace(/[0-9a-f-]{36}$/, ''),
      isOurs ? 0 : world.tags(name),
      isOurs ? 0 : world.manifests(name).length,
    ];
  });
}
