import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts';
import { makeImage } from '../support/images.ts';
import { inspectDigest } from '../support/skopeo.ts';
import { type Bench, linesOf, openBench, readSummary } from './promotion.ts';
import { assertFailed, assertSucceeded, connectionTo } from './step.ts';

describe('PromoteImage and names, tags and the stage before', () => {
  let bench: Bench;
  let production: DockerRegistry;
  before(async () => {
    [bench, production] = await Promise.all([openBench(), startDockerRegistry({ password: true })]);
  });
  after(() => Promise.all([bench.close(), production.stop()]));
  const digestOf = (reference: string) => inspectDigest(bench.stage, reference);
  /** Of the build 430, which the registry before the last must have had. */
  const toProduction = (inputs: Record<string, string> = {}) =>
    bench.step(
      430,
      {
        sourceConnectionType: 'dockerConfig',
        sourceRegistry: `http://${bench.ci.host}`,
        requirePromotedTo: `http://${bench.stage.host}`,
        containerRegistry: 'production-connection',
        ...inputs,
      },
      { endpoints: { 'production-connection': connectionTo(production) } },
    );

  it('puts a prefix before repositories but not before those that are renamed, and before the build tag', async () => {
    const [web, api] = [makeImage('web'), makeImage('api')];
    await bench.record({ id: 400 }, { 'shop/web': web, 'shop/api': api });
    const outcome = await bench.step(400, {
      repositoryPrefix: 'prod/',
      repositories: 'shop/api=store/backend',
      buildTagPrefix: 'contoso-',
      tags: 'v{buildNumber}',
    });
    assertSucceeded(outcome);
    for (const tag of ['contoso-400', 'v20261123.400']) {
      assert.equal(await digestOf(`prod/shop/web:${tag}`), web.digest);
      assert.equal(await digestOf(`store/backend:${tag}`), api.digest);
    }
    assert.equal(await digestOf('prod/shop/web:400'), undefined);
    assert.match(await readSummary(outcome), /\| `store\/backend` \(from `shop\/api`\) \|/);
  });

  it('promotes inside one registry under a prefix, and refuses to promote onto itself', async () => {
    const image = makeImage('inside');
    await bench.record({ id: 401 }, { 'inside/app': image });
    const same = { containerRegistry: 'ci-connection' };
    const before = await bench.ci.fingerprint();
    const itself = await bench.step(401, same);
    assertFailed(itself, /inside\/app is where the image comes from\. Name another registry, or a repositoryPrefix/);
    assert.equal(await bench.ci.fingerprint(), before);
    const outcome = await bench.step(401, { ...same, repositoryPrefix: 'qa' });
    assertSucceeded(outcome);
    assert.ok(
      linesOf(outcome).some(line => / in 0 blobs and 1 manifest .* 4 mounted\.$/.test(line)),
      outcome.output,
    );
    assert.equal(await inspectDigest(bench.ci, 'qa/inside/app:401'), image.digest);
    // What was copied inside the registry is not what the build made, so it goes on as before.
    assertSucceeded(await bench.step(401));
    assert.equal(await digestOf('inside/app:401'), image.digest);
    assert.equal(await digestOf('qa/inside/app:401'), undefined);
  });

  describe('where a tag is there already', () => {
    const [old, image] = [makeImage('old'), makeImage('new')];
    before(async () => {
      await bench.record({ id: 410 }, { 'taken/app': image });
      await bench.push(bench.stage, 'taken/app:edge', old);
    });

    it('fails and changes nothing, whatever the rule, unless it is told to move it', async () => {
      const before = await bench.stage.fingerprint();
      for (const onExistingTag of ['skip-if-same', 'fail']) {
        const outcome = await bench.step(410, { tags: 'edge', onExistingTag });
        assertFailed(
          outcome,
          /taken\/app:edge is on sha256:\w+, and sha256:\w+ was to get it\. Nothing was changed\. Set/,
        );
        assert.ok(outcome.message.includes(old.digest) && outcome.message.includes(image.digest), outcome.message);
      }
      assert.equal(await bench.stage.fingerprint(), before);
      assert.deepEqual(bench.devOps.world.leases.ofBuild(410), []);
    });

    it('moves it where it is told to, and says from where', async () => {
      const outcome = await bench.step(410, { tags: 'edge', onExistingTag: 'overwrite' });
      assertSucceeded(outcome);
      assert.equal(await digestOf('taken/app:edge'), image.digest);
      assert.ok(linesOf(outcome).some(line => line.endsWith(`will move from ${old.digest} to ${image.digest}.`)));
      const moved = `\`taken/app:edge\` was moved from \`${old.digest}\``;
      assert.ok((await readSummary(outcome)).includes(moved), outcome.output);
    });

    it('fails also on the same image, where that is the rule', async () => {
      const outcome = await bench.step(410, { tags: 'edge', onExistingTag: 'fail' });
      assertFailed(
        outcome,
        /taken\/app:(?:edge|410) is there already, on the same image\. .* skip-if-same to let that be/,
      );
    });
  });

  it('names the tag that the record cannot fill, and changes nothing', async () => {
    await bench.record({ id: 420, branch: '', number: '4 2 0' }, { 'tags/app': makeImage('tags') });
    const before = await bench.stage.fingerprint();
    const outcome = await bench.step(420, { tags: '{buildNumber}\nx-{branch}' });
    assertFailed(outcome, /The tag "x-\{branch\}" wants \{branch\}, which the record of build 420 does not say/);
    assert.equal(await bench.stage.fingerprint(), before);
  });

  describe('that wants the stage before', () => {
    const image = makeImage('gated');
    before(async () => {
      await bench.record({ id: 430 }, { 'gated/app': image });
      const auths = Object.fromEntries([bench.ci, bench.stage].map(each => [each.host, { auth: sign(each) }]));
      await mkdir(join(bench.agent.path, '.docker'), { recursive: true });
      await writeFile(join(bench.agent.path, '.docker/config.json'), JSON.stringify({ auths }));
    });

    it('refuses what was not promoted there, although the same bytes are there', async () => {
      await bench.push(bench.stage, 'gated/app:430', image);
      const before = await production.fingerprint();
      const outcome = await toProduction();
      assertFailed(
        outcome,
        new RegExp(`Of build 430 .* not promoted to ${bench.stage.host} before, .*gated/app@${image.digest}.* Promote`),
      );
      assert.equal(await production.fingerprint(), before);
      assert.deepEqual(bench.devOps.world.leases.ofBuild(430), []);
    });

    it('lets through what was, read with the sign-in of the source', async () => {
      assertSucceeded(await bench.step(430));
      const outcome = await toProduction();
      assertSucceeded(outcome);
      assert.match(outcome.output, /^Every image of build 430 was promoted to localhost:\d+ before \(1\)\.$/m);
      assert.equal(await inspectDigest(production, 'gated/app:430'), image.digest);
    });

    it('may be the source itself, with the connection that it has', async () => {
      await bench.record({ id: 431 }, { 'chain/app': image });
      assertSucceeded(await bench.step(431));
      const outcome = await bench.step(
        431,
        {
          sourceContainerRegistry: 'stage-connection',
          requirePromotedTo: `http://${bench.stage.host}`,
          containerRegistry: 'production-connection',
        },
        { endpoints: { 'production-connection': connectionTo(production) } },
      );
      assertSucceeded(outcome);
      assert.equal(await inspectDigest(production, 'chain/app:431'), image.digest);
    });
  });
});

function sign({ username, password }: DockerRegistry): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}
