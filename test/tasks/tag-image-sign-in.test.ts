import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { account } from '../support/docker-registry.ts';
import { makeImage } from '../support/images.ts';
import {
  assertFailed,
  assertKept,
  assertMasked,
  assertSucceeded,
  type Bench,
  connectionTo,
  openBench,
} from './step.ts';

async function writeDockerConfig(folder: string, config: unknown): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
}

describe('TagImage signing in', () => {
  let bench: Bench;
  const image = makeImage('sign-in');
  before(async () => {
    bench = await openBench();
    await bench.push('sign/in:built', image);
  });
  after(() => bench.close());

  function tag(number: number, inputs: Record<string, string>, environment: Record<string, string> = {}) {
    return bench.tag(
      { images: 'sign/in:built', ...inputs },
      { variables: { 'Build.BuildId': String(number) }, environment },
    );
  }

  const signIn = Buffer.from(`${account.username}:${account.password}`).toString('base64');
  const dockerConfig = () => ({ connectionType: 'dockerConfig', registry: `http://${bench.registry.host}` });

  it('uses a Docker registry connection, and keeps its password out of the log', async () => {
    const outcome = await tag(300, {});
    assertSucceeded(outcome);
    assertMasked(outcome, account.password);
    assertKept(outcome, account.password);
  });

  it("uses the agent's own Docker sign-in, in its home", async () => {
    await writeDockerConfig(join(bench.agent.path, '.docker'), { auths: { [bench.registry.host]: { auth: signIn } } });
    const outcome = await tag(301, dockerConfig());
    assertSucceeded(outcome);
    assert.equal(await bench.digestOf('sign/in:301'), image.digest);
    assertMasked(outcome, account.password);
    assertKept(outcome, account.password);
    assertKept(outcome, signIn);
  });

  it('uses the Docker sign-in in DOCKER_CONFIG, where Docker@2 leaves it', async () => {
    const folder = join(bench.agent.path, 'docker-two');
    await writeDockerConfig(folder, { auths: { [`https://${bench.registry.host}/v1/`]: account } });
    assertSucceeded(await tag(302, dockerConfig(), { DOCKER_CONFIG: folder }));
    assert.equal(await bench.digestOf('sign/in:302'), image.digest);
  });

  it('says plainly that credential helpers are not used, and what else is wrong with a Docker sign-in', async () => {
    const folder = join(bench.agent.path, 'docker-three');
    const environment = { DOCKER_CONFIG: folder };
    assertFailed(await tag(303, dockerConfig(), environment), /cannot be read\. Run Docker@2 login/);
    await writeDockerConfig(folder, { auths: { [bench.registry.host]: {} }, credsStore: 'desktop' });
    assertFailed(
      await tag(303, dockerConfig(), environment),
      /credential helper \(credsStore\), and helpers are not used here/,
    );
    await writeDockerConfig(folder, { credHelpers: { [bench.registry.host]: 'acr' } });
    assertFailed(await tag(303, dockerConfig(), environment), /credential helper \(credHelpers\)/);
    await writeDockerConfig(folder, { auths: { 'localhost:1': { auth: signIn } } });
    assertFailed(
      await tag(303, dockerConfig(), environment),
      /has no sign-in for localhost:\d+\. The name must match exactly/,
    );
    await writeDockerConfig(folder, `{"auths":{"${bench.registry.host}":{"auth":"${signIn}"`);
    const outcome = await tag(303, dockerConfig(), environment);
    assertFailed(outcome, /is not a Docker configuration/);
    assertKept(outcome, signIn);
  });

  it('fails with a wrong password, keeps it secret, and changes nothing', async () => {
    const before = await bench.registry.fingerprint();
    const wrong = 'wr0ng/p%ss word#';
    const outcome = await bench.tag(
      { images: 'sign/in:built' },
      { endpoints: { 'registry-connection': connectionTo(bench.registry, wrong) } },
    );
    assertFailed(outcome, /localhost:\d+: no permission|the credentials were not accepted/);
    assertMasked(outcome, wrong);
    assertKept(outcome, wrong);
    assert.equal(await bench.registry.fingerprint(), before);
  });

  it('masks a secret that looks like a command, exactly', async () => {
    const forged = '##vso[task.complete result=Succeeded;]done';
    const outcome = await bench.tag(
      { images: 'sign/in:built' },
      { endpoints: { 'registry-connection': connectionTo(bench.registry, forged) } },
    );
    assertFailed(outcome, /no permission|not accepted/);
    assertMasked(outcome, forged);
  });

  it('needs no sign-in where the registry asks for none', async () => {
    const open = await openBench({});
    try {
      await open.push('sign/in:built', image);
      assertSucceeded(await open.tag({ images: 'sign/in:built' }));
      assert.equal(await open.digestOf('sign/in:4711'), image.digest);
    } finally {
      await open.close();
    }
  });

  it('gives up on a registry that is down within 20 seconds', async function () {
    this.timeout(30_000);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise(done => server.once('listening', done));
    const { port } = server.address() as { port: number };
    await new Promise(done => server.close(done));
    const outcome = await bench.tag(
      { images: 'sign/in:built' },
      { endpoints: { 'registry-connection': connectionTo({ ...bench.registry, host: `localhost:${port}` }) } },
    );
    assertFailed(outcome, /GET localhost:\d+\/v2\/sign\/in\/manifests\/built failed: .*ECONNREFUSED/);
    assert.ok(outcome.milliseconds < 20_000, `${outcome.milliseconds} ms`);
  });
});
