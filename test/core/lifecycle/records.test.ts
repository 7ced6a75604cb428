import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { BuildRecord } from '../../../core/lifecycle/build-record.ts';
import { day, type Estate, requestOf, startEstate } from './estate.ts';
import { forgeRecord } from './forge-record.ts';
import { recordsIn } from './records-in.ts';

describe('records that cannot be trusted', () => {
  let estate: Estate;
  let digest: string;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
  });
  afterEach(() => estate.close());

  const forge = (tag: string, content: unknown, projectId?: string): void =>
    forgeRecord(estate, tag, content, projectId === undefined ? {} : { projectId });

  const recordFor = (
    buildId: number,
    changes: Partial<BuildRecord['build']> = {},
    image: Partial<BuildRecord['images'][0]> = {},
  ): BuildRecord => ({
    schema: 1,
    build: { ...requestOf(estate, buildId, [], {}).build, ...changes },
    images: [
      {
        repository: 'app',
        digest: digest as `sha256:${string}`,
        mediaType: 'x',
        size: 1,
        children: [],
        tags: [String(buildId)],
        ...image,
      },
    ],
    charts: [],
    onBuildDeleted: 'delete',
    createdAt: new Date().toISOString(),
  });

  const deletedBuild = (): number => {
    const { id } = estate.ado.world.addBuild({ definitionId: estate.definitionId });
    estate.ado.world.deleteBuild(id);
    return id;
  };

  /** Runs to the end of every grace and asserts that the images are untouched. */
  const assertUntouched = async (reason: RegExp): Promise<void> => {
    const before = { tags: estate.acr.world.tags('app'), manifests: estate.acr.world.manifests('app') };
    const reports = [...(await estate.settle()), ...(await estate.settle())];
    assert.deepEqual({ tags: estate.acr.world.tags('app'), manifests: estate.acr.world.manifests('app') }, before);
    assert.match(reports.flatMap(report => report.items.map(item => item.reason)).join('\n'), reason);
  };

  it('one damaged record protects every image of its build', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    forge(`${id}.${estate.definitionId}.zz`, '{"schema":1,');
    await assertUntouched(/cannot be read/);
  });

  it('a record of a later version protects too', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    forge(`${id}.${estate.definitionId}.zz`, { ...recordFor(id), schema: 3 });
    await assertUntouched(/cannot be read/);
  });

  it('a record whose blob is corrupted on its way protects', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id));
    estate.acr.faults.add({ operation: 'blob.data' }, { kind: 'corrupt' });
    await assertUntouched(/cannot be read|reconcil/);
  });

  it('a record whose manifest holds another content than it names protects', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    const text = JSON.stringify(recordFor(id));
    const data = Buffer.from(text.replace('delete', 'xelete')).toString('base64');
    forgeRecord(estate, `${id}.${estate.definitionId}.zz`, text, { data });
    await assertUntouched(/cannot be read.*is not sha256/);
  });

  it('a small record is read with one request, from its manifest', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    const repository = `image-lifecycle/builds/${estate.projectId}`;
    estate.acr.requests.clear();
    const [record] = await recordsIn(estate.connect(), estate.projectId, id);
    assert.equal(record?.images[0]?.digest, digest);
    assert.equal(estate.acr.requests.count({ repository, operation: 'manifest.get' }), 1);
    assert.equal(estate.acr.requests.count({ repository, operation: 'blob.get' }), 0);
  });

  it('a record that contradicts its tag is foreign', async () => {
    const id = deletedBuild();
    const other = await estate.build([{ repository: 'app', reference: digest }]);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(other));
    await assertUntouched(/foreign/);
  });

  it('a record of another organization is foreign', async () => {
    const id = deletedBuild();
    estate.acr.world.tag('app', String(id), digest);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, { collectionId: randomUUID() }));
    await assertUntouched(/foreign.*collection/);
  });

  it('a record of another pipeline is not acted on', async () => {
    const id = deletedBuild();
    estate.acr.world.tag('app', String(id), digest);
    forge(`${id}.999.zz`, recordFor(id, { definitionId: 999 }));
    await assertUntouched(/names definition 999/);
  });

  it("a forged record cannot touch another team's image: the build's own tag is not on it", async () => {
    const id = deletedBuild();
    estate.acr.world.tag('app', 'prod', digest);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, {}, { tags: ['prod', 'latest'] }));
    await assertUntouched(/nothing ties it to the build/);
  });

  it('nor an untagged one, in a repository that the build never tagged', async () => {
    const id = deletedBuild();
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id));
    await assertUntouched(/nothing ties it to the build/);
  });

  it("nor another build's tags: those are not the dead build's own", async () => {
    const live = await estate.build([{ repository: 'app', reference: digest }]);
    const id = deletedBuild();
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, {}, { tags: [String(live)] }));
    await assertUntouched(/nothing ties it to the build/);
  });

  it('nor repositories that the configuration does not give to the project', async () => {
    estate.rules = { ...estate.rules, projects: [{ projectId: estate.projectId, repositories: ['team-b/*'] }] };
    const id = deletedBuild();
    estate.acr.world.tag('app', String(id), digest);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id));
    await assertUntouched(/gives this project no images/);
  });

  it('nor records and tombstones', async () => {
    const live = await estate.build([{ repository: 'app', reference: digest }]);
    const records = `image-lifecycle/builds/${estate.projectId}`;
    const [tag, target] = Object.entries(estate.acr.world.tags(records))[0]!;
    const id = deletedBuild();
    estate.acr.world.tag(records, String(id), target);
    forge(
      `${id}.${estate.definitionId}.zz`,
      recordFor(id, {}, { repository: records, digest: target as `sha256:${string}` }),
    );
    await assertUntouched(/records and tombstones are no images/);
    assert.equal(estate.acr.world.tags(records)[tag], target, `the record of build ${live} is there`);
  });

  it('a build id that two projects claim is acted on for neither', async () => {
    const other = estate.ado.world.addProject();
    estate.rules = {
      ...estate.rules,
      projects: [...estate.rules.projects, { projectId: other.id, repositories: ['*'] }],
    };
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id, { projectId: other.id }), other.id);
    estate.ado.world.deleteBuild(id);
    await assertUntouched(/two projects claim/);
  });

  it("an id of another project's build is not absent, wherever its record lies", async () => {
    const other = estate.ado.world.addProject();
    const definition = estate.ado.world.addDefinition({ projectId: other.id });
    estate.rules = {
      ...estate.rules,
      projects: [{ projectId: other.id, repositories: ['*'] }, ...estate.rules.projects],
    };
    const live = estate.ado.world.addBuild({ definitionId: estate.definitionId });
    estate.acr.world.tag('app', String(live.id), digest);
    // The other project is honest enough to have a newer build, and its pipeline is readable.
    estate.ado.world.addBuild({ definitionId: definition.id });
    forge(
      `${live.id}.${definition.id}.zz`,
      recordFor(live.id, { projectId: other.id, definitionId: definition.id }),
      other.id,
    );
    await assertUntouched(/belongs to project/);
  });

  it('two organizations with a prefix each do not see the build tags of each other', async () => {
    estate.rules = { ...estate.rules, buildTagPrefix: 'fabrikam-' };
    const id = deletedBuild();
    estate.acr.world.tag('app', String(id), digest);
    forge(`${id}.${estate.definitionId}.zz`, recordFor(id));
    await assertUntouched(/nothing ties it to the build/);
  });

  it('an image without a record is nobody’s to delete', async () => {
    const id = deletedBuild();
    estate.acr.world.tag('app', String(id), digest);
    await estate.settle();
    assert.deepEqual(estate.acr.world.tags('app'), { [id]: digest });
  });

  it('"keep" in the record keeps the image, and is asked once', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }], { onBuildDeleted: 'keep' });
    estate.ado.world.deleteBuild(id);
    await assertUntouched(/onBuildDeleted: keep/);
    estate.ado.requests.clear();
    await estate.reconcile();
    assert.equal(estate.ado.requests.count('builds.get'), 0);
  });

  it('"keep" in one of two records of an image keeps it', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    await estate.tag(id, [{ repository: 'app', reference: digest }], { onBuildDeleted: 'keep', job: 'other' });
    estate.ado.world.deleteBuild(id);
    await assertUntouched(/onBuildDeleted: keep/);
  });

  it('"keep" for the registry keeps everything', async () => {
    estate.rules = { ...estate.rules, onBuildDeleted: 'keep' };
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    const before = estate.acr.world.snapshot();
    await estate.settle();
    assert.deepEqual(estate.acr.world.snapshot(), before);
  });

  it('a record that was written late is released on its own account', async () => {
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    const late = estate.acr.world.putImage('late').digest;
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    await estate.tag(id, [{ repository: 'late', reference: late }], { job: 'slow' });
    estate.advance(2 * day);
    await estate.reconcile();
    await estate.settle();
    await estate.settle();
    assert.deepEqual(estate.acr.world.repositories(), []);
  });
});
