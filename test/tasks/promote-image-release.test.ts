import assert from 'node:assert/strict';
import { makeImage } from '../support/images.ts';
import { inspectDigest } from '../support/skopeo.ts';
import { artifactVariables, releaseVariables } from './agent/variables.ts';
import { type Bench, definitionId, library, openBench, readSummaries } from './promotion.ts';
import { assertFailed, assertSucceeded, projectId, readRecords } from './step.ts';

/** Of the job of a YAML pipeline alone. */
const ofPipelines = ['StageName', 'StageAttempt', 'PhaseName', 'JobName', 'JobAttempt'];
/** What `Build.*` says in this release, which is nothing that any of its artifacts is. */
const nonsense = 666;

describe('PromoteImage in a classic release', () => {
  let bench: Bench;
  const [web, core, primary] = [makeImage('web'), makeImage('core'), makeImage('primary')];
  before(async () => {
    bench = await openBench();
    await bench.record({ id: 300 }, { 'rel/primary': primary });
    await bench.record({ id: 301 }, { 'rel/web': web });
    await bench.record({ id: 302, ...library }, { 'rel/core': core });
    bench.devOps.world.releases.add({
      projectId,
      id: 392,
      definitionId: 4,
      artifacts: [
        { alias: '_primary', buildId: 300 },
        { alias: '_shop ci', buildId: 301 },
        { alias: 'lib.core', buildId: 302 },
        { alias: '_charts', type: 'Git' },
      ],
    });
  });
  after(() => bench.close());
  beforeEach(() => bench.devOps.requests.clear());

  const promote = (releaseArtifacts: string, inputs: Record<string, string> = {}) =>
    bench.step(
      nonsense,
      { source: 'releaseArtifact', releaseArtifacts, ...inputs },
      {
        variables: {
          ...releaseVariables,
          ...artifactVariables('_primary', { id: 300, definitionId }),
          ...artifactVariables('_shop ci', { id: 301, definitionId }),
          ...artifactVariables('lib.core', { id: 302, definitionId: library.definitionId }),
          ...Object.fromEntries(ofPipelines.map(name => [`System.${name}`, undefined])),
          'Build.BuildId': String(nonsense),
          'Build.DefinitionId': String(nonsense),
          'System.CollectionUri': `${bench.devOps.url}/`,
          'System.TeamFoundationCollectionUri': `${bench.devOps.url}/`,
          'System.TeamFoundationServerUri': `${bench.devOps.releaseUrl}/`,
        },
      },
    );
  const digestOf = (reference: string) => inspectDigest(bench.stage, reference);

  it('takes the artifact that is named and not the primary one, and nothing from Build.*', async () => {
    const outcome = await promote('_shop ci', { tags: '{buildId}-{branch}' });
    assertSucceeded(outcome);
    assert.equal(await digestOf('rel/web:301'), web.digest);
    assert.equal(await digestOf('rel/web:301-release-1.4'), web.digest, 'as the record says, not the release');
    assert.equal(await digestOf('rel/primary:300'), undefined);
    assert.equal(outcome.variables['digest'], web.digest);
    assert.equal(bench.devOps.requests.count('releases.get'), 1);
    const [record] = await readRecords(bench.stage, 301);
    assert.deepEqual(record?.promotedBy, {
      projectId,
      definitionId: 4,
      runId: 392,
      stage: 'EU: Production',
      url: releaseVariables['Release.ReleaseWebURL'],
    });
    const [lease] = bench.devOps.world.leases.ofBuild(301);
    const owner = `ImageLifecycle:${bench.stage.host}:EU%3A%20Production:${projectId}.release.4`;
    assert.deepEqual([lease?.ownerId, lease?.definitionId], [owner, definitionId]);
  });

  it('takes several, of whatever project, each with its record, its lease and its page', async () => {
    const outcome = await promote('_primary\nLIB.core', { tags: 'eu' });
    assertSucceeded(outcome);
    assert.equal(await digestOf('rel/primary:eu'), primary.digest);
    assert.equal(await digestOf('rel/core:eu'), core.digest);
    assert.equal(await digestOf('rel/core:302'), core.digest);
    assert.equal(outcome.variables['digest'], undefined);
    assert.equal((JSON.parse(outcome.variables['images'] ?? '') as unknown[]).length, 2);
    const pages = await readSummaries(outcome);
    assert.equal(pages.length, 2);
    for (const page of pages) assert.match(page, /Build 300, 302 are each held by a retention lease/);
    for (const id of [300, 302]) assert.equal(bench.devOps.world.leases.ofBuild(id).length, 1);
    const ended = await bench.endJob(outcome, 'Succeeded');
    assertSucceeded(ended);
    const listed = bench.devOps.requests.entries.filter(({ operation }) => operation === 'leases.list');
    assert.deepEqual(
      listed.map(({ path }) => path.split('/')[0]),
      [projectId, library.projectId],
    );
  });

  it('changes nothing of any where one of them is refused', async () => {
    bench.addBuild({ id: 303 });
    bench.devOps.world.releases.add({
      projectId,
      id: 392,
      definitionId: 4,
      artifacts: [
        { alias: '_shop ci', buildId: 301 },
        { alias: 'lib.core', buildId: 302 },
      ],
    });
    const before = await bench.stage.fingerprint();
    const leases = bench.devOps.world.leases.all().length;
    const outcome = await promote('_shop ci\nlib.core', { tags: 'one', repositories: 'rel/core=rel/web' });
    assertFailed(outcome, /Two builds are to put .*\/rel\/web:one, on sha256:\w+ and on sha256:\w+/);
    assert.equal(await bench.stage.fingerprint(), before);
    assert.equal(bench.devOps.world.leases.all().length, leases);
  });

  const candidates = 'Its builds: "_shop ci", "lib\\.core"';
  const wrong: [what: string, aliases: string, message: RegExp][] = [
    ['no alias', '', new RegExp(`releaseArtifacts names none\\. ${candidates}`)],
    ['a wrong alias', '_shop ci\n_web', new RegExp(`no artifact "_web"\\. ${candidates}`)],
  ];
  for (const [what, aliases, message] of wrong) {
    it(`lists the builds that there are for ${what}, and asks no registry`, async () => {
      const outcome = await promote(aliases);
      assertFailed(outcome, message);
      assert.doesNotMatch(outcome.output, /#\d+ (?:GET|HEAD|PUT|POST) /);
    });
  }

  it('says of an artifact that is no build what it is', async () => {
    bench.devOps.world.releases.add({
      projectId,
      id: 392,
      definitionId: 4,
      artifacts: [
        { alias: '_shop ci', buildId: 301 },
        { alias: '_charts', type: 'Git' },
      ],
    });
    assertFailed(await promote('_charts'), /"_charts" of this release is of the type "Git", and no build .*"_shop ci"/);
  });

  for (const source of ['currentRun', 'pipelineResource']) {
    it(`refuses ${source} before anything is asked: a release builds nothing`, async () => {
      const outcome = await promote('', { source, pipelineResource: 'shop' });
      assertFailed(outcome, /this is a classic release, which builds nothing .* Its artifacts: "_primary"/);
      assert.match(outcome.message, /source is releaseArtifact where/);
      assert.doesNotMatch(outcome.output, /#\d+ (?:GET|HEAD|PUT|POST) /);
      assert.deepEqual(bench.devOps.requests.entries, []);
    });
  }

  it('says which right is missing where the release may not be read', async () => {
    const effect = { kind: 'status', status: 403, json: { typeKey: 'AccessDeniedException', message: 'No.' } } as const;
    const remove = bench.devOps.faults.add({ operation: 'releases.get', effect });
    const outcome = await promote('_shop ci');
    remove();
    assertFailed(outcome, /^release 392 of project .*"View releases" on its pipeline/);
  });
});
