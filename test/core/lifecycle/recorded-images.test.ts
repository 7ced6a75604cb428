/** The images that a chart may pin: what this very build recorded, and nothing that only belongs to an image. */
import assert from 'node:assert/strict';
import { silentLog } from '../../../core/base/log.ts';
import { writeRecord } from '../../../core/lifecycle/build-record.ts';
import { pushCharts } from '../../../core/lifecycle/push-charts.ts';
import { readBuildImages } from '../../../core/lifecycle/recorded-images.ts';
import { fails } from '../oci/world.ts';
import { type Estate, requestOf, startEstate } from './estate.ts';
import { forgeRecord } from './forge-record.ts';
import { makeArtifact, pushOf } from './packed-charts.ts';
import { recordsIn } from './records-in.ts';

function placeOf({ repository, reference }: { repository: string; reference: string }): string {
  return `${repository}@${reference}`;
}

describe('the images of a build', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  const read = async (buildId: number, definitionId = estate.definitionId) => {
    const { projectId, ado } = estate;
    const build = { collectionId: ado.collectionId, projectId, definitionId, buildId };
    const images = await readBuildImages(estate.connect(), build, silentLog);
    return images.map(({ repository, digest }) => `${repository}@${digest}`);
  };
  const image = (repository: string) => ({ repository, reference: estate.acr.world.putImage(repository).digest });
  const pushChart = (id: number) =>
    pushCharts(estate.surroundings, pushOf(estate, id, [{ repository: 'charts/shop', artifact: makeArtifact() }]));

  it('are those of all its jobs, each once, and of no other build', async () => {
    const [web, worker] = [image('shop/web'), image('shop/worker')];
    const id = await estate.build([web], { job: 'one' });
    await estate.tag(id, [worker, web], { job: 'two' });
    await estate.build([image('shop/web')]);
    assert.deepEqual((await read(id)).sort(), [placeOf(web), placeOf(worker)]);
  });

  it('are those of the newest attempt of a job', async () => {
    const [first, second] = [image('shop/web'), image('shop/web')];
    const id = await estate.build([first], { attempt: '1.1' });
    await estate.tag(id, [second], { attempt: '1.2' });
    assert.deepEqual(await read(id), [placeOf(second)]);
  });

  it('are neither charts, nor platforms of an index, nor signatures', async () => {
    const { world } = estate.acr;
    const children = [world.putImage('shop/web'), world.putImage('shop/web')];
    const index = world.putIndex('shop/web', children);
    const signature = world.putArtifact('shop/web', { artifactType: 'application/vnd.sig', subject: index });
    const parts = [children[0]!.digest, index.digest, signature.digest];
    const id = await estate.build([{ repository: 'shop/web', reference: parts[0]! }], {
      tags: ['amd64'],
      job: 'amd64',
    });
    for (const reference of parts.slice(1)) {
      await estate.tag(id, [{ repository: 'shop/web', reference }], { job: reference, overwrite: true });
    }
    // The same bytes under another name are an image of their own.
    const { bytes, document } = world.manifest('shop/web', parts[0]!)!;
    for (const part of [document.config!, ...document.layers!]) world.linkBlob('shop/amd64', part.digest);
    world.putManifest('shop/amd64', bytes);
    await estate.tag(id, [{ repository: 'shop/amd64', reference: parts[0]! }], { job: 'alone' });
    await pushChart(id);
    assert.deepEqual((await read(id)).sort(), [`shop/amd64@${parts[0]}`, `shop/web@${index.digest}`]);
  });

  it('are not the copies that a promotion made inside this registry', async () => {
    const web = image('shop/web');
    const id = await estate.build([web]);
    const { build } = requestOf(estate, id, [], {});
    const [recorded] = (await recordsIn(estate.connect(), estate.projectId, id)).flatMap(record => record.images);
    const copy = { ...recorded!, repository: 'prod/web' };
    const createdAt = '2026-11-25T10:00:00Z';
    const content = { build, images: [copy], charts: [], onBuildDeleted: 'keep' as const, createdAt };
    await writeRecord(estate.connect(), { ...content, promotedFrom: estate.acr.host });
    assert.deepEqual(await read(id), [placeOf(web)]);
  });

  it('that nobody recorded are an error that says what must run before', async () => {
    await estate.build([image('shop/web')]);
    const { id } = estate.ado.world.addBuild({ definitionId: estate.definitionId });
    const { message } = await fails(read(id), 'RECORD_NOT_FOUND');
    for (const part of [estate.acr.host, `build ${id}`, 'Run TagImage before this step', 'this registry']) {
      assert.ok(message.includes(part), message);
    }
    await pushChart(id);
    await fails(read(id), 'RECORD_NOT_FOUND');
  });

  it('are not those that another pipeline recorded under its number', async () => {
    const id = await estate.build([image('shop/web')]);
    await fails(read(id, estate.definitionId + 1), 'RECORD_NOT_FOUND');
  });

  it('are not guessed where one record cannot be read', async () => {
    const id = await estate.build([image('shop/web')]);
    forgeRecord(estate, `${id}.${estate.definitionId}.zz`, { schema: 9 });
    await fails(read(id), 'RECORD_UNREADABLE');
  });
});
