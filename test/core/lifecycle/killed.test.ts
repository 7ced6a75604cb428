import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mapConcurrently } from '../../../core/base/concurrency.ts';
import { build } from '../../../scripts/build.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';

const handler = resolve(import.meta.dirname, '../../../dist/webhook-handler/main.js');

/** A reconciliation in a process of its own, by the bundle that is shipped; `kill` ends it as `kill -9` does. */
async function startProcess(estate: Estate): Promise<{ kill: () => void; ended: Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-'));
  await writeFile(join(folder, 'ca.pem'), estate.acr.ca);
  const secret = { password: { env: 'REGISTRY_PASSWORD' } };
  const configuration = {
    registries: [{ url: estate.acr.host, signIn: { kind: 'password', username: 'admin', ...secret } }],
    organizations: [
      {
        url: estate.ado.url,
        signIn: { kind: 'pat', token: { env: 'ADO_TOKEN' } },
        projects: [{ id: estate.projectId }],
      },
    ],
  };
  await writeFile(join(folder, 'lifecycle.yaml'), JSON.stringify(configuration));
  const child = spawn(process.execPath, [handler, 'reconcile', '--config', join(folder, 'lifecycle.yaml')], {
    env: {
      PATH: process.env['PATH'],
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      REGISTRY_PASSWORD: 'admin-password',
      ADO_TOKEN: estate.ado.pat,
    },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit').then(() => rm(folder, { recursive: true, force: true }));
  return { kill: () => child.kill('SIGKILL'), ended };
}

/** Runs one step; kills it when request number `at` has taken effect, before its answer is seen. Gives the number of requests. */
async function runStep(estate: Estate, at: number): Promise<number> {
  const child = await startProcess(estate);
  let count = 0;
  estate.acr.faults.intercept = (_request, phase) => {
    if (phase === 'before') return count >= at ? 'cut' : 'proceed';
    count += 1;
    if (count < at) return 'proceed';
    child.kill();
    return 'cut';
  };
  await child.ended;
  estate.acr.faults.clear();
  return count;
}

interface Scene {
  readonly estate: Estate;
  /** What must be there at the end. */
  readonly expected: unknown;
}

/** One dead build: an index with a signature, an image that a living build shares, one with a release tag, one locked. */
async function setScene(): Promise<Scene> {
  const estate = await startEstate();
  const { world } = estate.acr;
  const children = [world.putImage('app'), world.putImage('app')];
  const index = world.putIndex('app', children);
  const signature = world.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index });
  world.putArtifact('app', { artifactType: 'application/vnd.cosign', tags: [`${index.digest.replace(':', '-')}.sig`] });
  const shared = world.putImage('shared');
  const released = world.putImage('released', { tags: ['v1.0.0'] });
  const locked = world.putImage('locked');
  const images = [
    { repository: 'app', reference: index.digest },
    { repository: 'shared', reference: shared.digest },
    { repository: 'released', reference: released.digest },
    { repository: 'locked', reference: locked.digest },
  ];
  const dead = await estate.build(images);
  const alive = await estate.build([{ repository: 'shared', reference: shared.digest }]);
  world.setAttributes('locked', locked.digest, { deleteEnabled: false });
  assert.ok(world.has('app', signature.digest));
  estate.ado.world.deleteBuild(dead);
  return {
    estate,
    expected: {
      app: undefined,
      shared: { tags: { [alive]: shared.digest }, manifests: [shared.digest] },
      released: { tags: { 'v1.0.0': released.digest }, manifests: [released.digest] },
      locked: { tags: { [dead]: locked.digest }, manifests: [locked.digest] },
    },
  };
}

async function assertEnd({ estate, expected }: Scene): Promise<void> {
  for (let days = 0; days < 3; days += 1) {
    const report = await estate.reconcile();
    assert.ok(
      report.items.every(item => item.outcome !== 'failed'),
      JSON.stringify(report.items),
    );
    estate.advance(day + hour);
  }
  const { app, shared, released, locked } = estate.acr.world.snapshot().repositories;
  assert.deepEqual({ app, shared, released, locked }, expected);
}

/** Kills the step at each of its requests, each time in a fresh world, then lets everything go on to its end. */
async function killEverywhere(step: 'release' | 'collect'): Promise<number> {
  const play = async (at: number): Promise<number> => {
    const scene = await setScene();
    try {
      if (step === 'collect') {
        await scene.estate.reconcile();
        scene.estate.advance(day + hour);
      }
      const count = await runStep(scene.estate, at);
      await assertEnd(scene);
      return count;
    } catch (cause) {
      throw new Error(`killed at request ${at} of ${step}`, { cause });
    } finally {
      await scene.estate.close();
    }
  };
  const requests = await play(Number.POSITIVE_INFINITY);
  await mapConcurrently(
    Array.from({ length: requests }, (_, at) => at + 1),
    3,
    play,
  );
  return requests;
}

describe('a reconciliation that is killed', function () {
  this.timeout(180_000);
  before(() => build({ only: 'webhook-handler/' }));

  it('at any request of the release ends as one that is not', async () => {
    assert.ok((await killEverywhere('release')) > 30);
  });

  it('at any request of the collection ends as one that is not', async () => {
    assert.ok((await killEverywhere('collect')) > 30);
  });
});
