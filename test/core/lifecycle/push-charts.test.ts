/** Charts on their way into a registry: the record first and whole, the tags last, and what is there is not sent again. */
import assert from 'node:assert/strict';
import type { ChartArtifact } from '../../../core/lifecycle/chart-artifact.ts';
import { type ChartToPush, type PushResult, pushCharts } from '../../../core/lifecycle/push-charts.ts';
import type { LoggedRequest } from '../../emulators/acr/request-log.ts';
import { createCollectingLog, fails } from '../oci/world.ts';
import { type BuildOptions, type Estate, startEstate } from './estate.ts';
import { makeArtifact, pushOf } from './packed-charts.ts';
import { recordsIn } from './records-in.ts';

const repository = 'charts/shop';
const version = '1.4.0+c.3f9a1c22d0';
const tag = '1.4.0_c.3f9a1c22d0';

function isRecord(request: LoggedRequest): boolean {
  return request.repository?.startsWith('image-lifecycle/') ?? false;
}

describe('charts that a build pushes', () => {
  let estate: Estate;
  let log: ReturnType<typeof createCollectingLog>;
  let id: number;
  let chart: ChartArtifact;
  beforeEach(async () => {
    estate = await startEstate();
    log = createCollectingLog();
    id = newBuild();
    chart = makeArtifact(version);
  });
  afterEach(() => estate.close());

  const newBuild = (): number => estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
  const push = (
    buildId: number,
    charts: readonly ChartToPush[] = [{ repository, artifact: chart }],
    options: BuildOptions = {},
  ): Promise<PushResult> =>
    pushCharts({ ...estate.surroundings, registry: estate.connect(), log }, pushOf(estate, buildId, charts, options));
  const tags = (name = repository): Record<string, string> => estate.acr.world.tags(name);
  const asked = (): LoggedRequest[] =>
    estate.acr.requests.all().filter(each => each.status !== 401 && !each.operation.startsWith('oauth2'));
  const assertWhole = (name: string, { manifest, blobs }: ChartArtifact): void => {
    const { world } = estate.acr;
    assert.ok(world.manifest(name, manifest.digest)?.bytes.equals(manifest.bytes));
    for (const { digest, bytes } of blobs) assert.ok(world.blobs.read(digest)?.equals(bytes), digest);
  };

  it('are recorded by a digest that is known before, beside what says where the archive came from', async () => {
    const { charts, record } = await push(id, undefined, { onBuildDeleted: 'keep' });
    const [config, archive] = chart.blobs;
    const recorded = {
      repository,
      digest: chart.manifest.digest,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: chart.manifest.bytes.byteLength + config!.bytes.byteLength + archive!.bytes.byteLength,
      children: [],
      tags: [String(id), tag],
      name: 'shop',
      version,
      archive: archive!.digest,
    };
    assert.deepEqual(charts, [{ ...recorded, subject: undefined, wasThere: false, moved: [] }]);
    const [read, ...more] = await recordsIn(estate.connect(), estate.projectId, id);
    assert.deepEqual([read?.charts, read?.images, read?.onBuildDeleted, read?.schema], [[recorded], [], 'keep', 2]);
    assert.equal(more.length, 0);
    assert.equal(estate.acr.world.digest(record.repository, record.tag), record.digest);
    assert.deepEqual(tags(), { [id]: chart.manifest.digest, [tag]: chart.manifest.digest });
    assertWhole(repository, chart);
    assert.match(log.lines.join('\n'), new RegExp(`Pushed the chart .*/${repository}@${chart.manifest.digest}`));
  });

  it('are sent behind their record, and get no tag before all of them are whole, the build tag last', async () => {
    const other = makeArtifact('2.0.0', '', 'worker');
    await push(id, [
      { repository, artifact: chart },
      { repository: 'charts/worker', artifact: other },
    ]);
    const changes = asked().filter(each => each.status === 201 && /manifest\.put|upload\.finish/.test(each.operation));
    const recorded = changes.findLastIndex(isRecord);
    assert.ok(changes.slice(0, recorded + 1).every(isRecord), 'nothing of a chart comes before its record');
    const names = [String(id), tag, '2.0.0'];
    const firstTag = changes.findIndex(each => !isRecord(each) && names.includes(each.reference ?? ''));
    assert.ok(changes.slice(firstTag).every(each => names.includes(each.reference ?? '')));
    for (const name of [repository, 'charts/worker']) {
      const put = changes.slice(firstTag).filter(each => each.repository === name);
      assert.deepEqual([put.length, put[1]?.reference], [2, String(id)]);
    }
  });

  it('that did not change keep their digest and get one more tag, and nothing of them is sent', async () => {
    await push(id);
    const second = newBuild();
    const blobs = estate.acr.world.blobs.digests();
    estate.acr.requests.clear();
    const { charts } = await push(second);
    const { digest } = chart.manifest;
    const [config, archive] = chart.blobs;
    assert.deepEqual(
      asked()
        .filter(each => !isRecord(each))
        .map(({ operation, reference, status }) => [operation, reference, status]),
      [
        ['manifest.head', tag, 200],
        ['manifest.head', String(second), 404],
        ['blob.head', config!.digest, 200],
        ['blob.head', archive!.digest, 200],
        ['manifest.put', digest, 201],
        ['manifest.get', digest, 200],
        ['manifest.head', tag, 200],
        ['manifest.put', tag, 201],
        ['manifest.head', tag, 200],
        ['manifest.put', String(second), 201],
        ['manifest.head', String(second), 200],
        ['manifest.head', tag, 200],
      ],
    );
    assert.deepEqual(tags(), { [id]: digest, [second]: digest, [tag]: digest });
    assert.equal(estate.acr.world.blobs.digests().length, blobs.length + 1, 'the record');
    assert.deepEqual([charts[0]?.wasThere, charts[0]?.digest], [true, digest]);
    assert.match(log.lines.at(-1) ?? '', /Found the chart .* tagged it with/);
  });

  it('of which one part is there get the other one alone', async () => {
    const [config, archive] = chart.blobs;
    estate.acr.world.putBlob(repository, archive!.bytes);
    await push(id);
    assert.deepEqual(
      asked()
        .filter(each => each.operation === 'upload.finish' && each.repository === repository)
        .map(each => each.query['digest']),
      [config!.digest],
    );
    assertWhole(repository, chart);
  });

  it('are the same twice in one step, and two that are not for one repository are refused before the first request', async () => {
    const { charts } = await push(id, [
      { repository, artifact: chart },
      { repository, artifact: makeArtifact(version) },
    ]);
    assert.equal(charts.length, 1);
    estate.acr.requests.clear();
    const other = makeArtifact(version, 'other');
    const both = push(id, [
      { repository, artifact: chart },
      { repository, artifact: other },
    ]);
    const { message } = await fails(both, 'INPUT_INVALID');
    for (const part of [repository, chart.manifest.digest, other.manifest.digest]) assert.ok(message.includes(part));
    assert.deepEqual(estate.acr.requests.all(), []);
  });

  it('with a build tag that is none are refused, and nothing is changed', async () => {
    const request = { ...pushOf(estate, id, [{ repository, artifact: chart }]), buildTag: 'a/b' };
    await fails(pushCharts(estate.surroundings, request), 'INPUT_INVALID');
    assert.deepEqual(estate.acr.world.repositories(), []);
  });

  it('are pushed by two builds at once, and are one', async () => {
    const second = newBuild();
    await Promise.all([push(id), push(second)]);
    const { digest } = chart.manifest;
    assert.deepEqual(tags(), { [id]: digest, [second]: digest, [tag]: digest });
    assert.deepEqual(estate.acr.world.manifests(repository), [digest]);
    assertWhole(repository, chart);
  });

  it('end the same wherever the push was broken off, and are never tagged before they are recorded', async function () {
    this.timeout(120_000);
    const pushed: Record<string, ChartArtifact> = {
      [repository]: chart,
      'charts/worker': makeArtifact('2.0.0', '', 'worker'),
    };
    const charts = Object.entries(pushed).map(([name, artifact]) => ({ repository: name, artifact }));
    const complete = async (): Promise<void> => {
      await push(id, charts);
      for (const [name, artifact] of Object.entries(pushed)) {
        assert.deepEqual(tags(name), { [id]: artifact.manifest.digest, [artifact.tag]: artifact.manifest.digest });
        assertWhole(name, artifact);
        assert.deepEqual(estate.acr.world.manifests(name), [artifact.manifest.digest]);
      }
    };
    await complete();
    const requests = estate.acr.requests.all().length;
    assert.ok(requests > 40, `${requests} requests`);
    for (const moment of ['before', 'after'] as const) {
      for (let at = 1; at <= requests; at += 1) {
        await estate.close();
        estate = await startEstate();
        id = newBuild();
        let count = 0;
        let isCut = false;
        estate.acr.faults.intercept = (_request, phase) => {
          if (phase === moment) count += 1;
          isCut ||= phase === moment && count >= at;
          return isCut ? 'cut' : 'proceed';
        };
        // What runs beside each other makes one request more or less.
        if (at < requests - 3) await fails(push(id, charts), 'REGISTRY_UNAVAILABLE');
        else await push(id, charts).catch(() => {});
        estate.acr.faults.clear();
        const { world } = estate.acr;
        const isRecorded = (await recordsIn(estate.connect(), estate.projectId, id)).length > 0;
        const blobs = world.blobs.digests();
        const isSent = Object.values(pushed).some(each => blobs.includes(each.archive));
        if (isSent) assert.ok(isRecorded, `${moment} request ${at}: recorded first`);
        const tagged = Object.keys(pushed).filter(name => Object.keys(tags(name)).length > 0);
        if (tagged.length > 0) for (const [name, artifact] of Object.entries(pushed)) assertWhole(name, artifact);
        await complete();
      }
    }
  });
});
