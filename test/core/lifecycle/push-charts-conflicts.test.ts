/** What stands in the way of a chart, and what happens to the registry while it is pushed. */
import assert from 'node:assert/strict';
import type { ChartArtifact } from '../../../core/lifecycle/chart-artifact.ts';
import { type PushResult, pushCharts } from '../../../core/lifecycle/push-charts.ts';
import { fails } from '../oci/world.ts';
import { type BuildOptions, type Estate, startEstate } from './estate.ts';
import { makeArtifact, pushOf } from './packed-charts.ts';
import { recordsIn } from './records-in.ts';

const repository = 'charts/shop';
const tag = '1.4.0';

describe('a chart that is pushed', () => {
  let estate: Estate;
  let id: number;
  const [chart, changed] = [makeArtifact(tag), makeArtifact(tag, 'changed')];
  const next = makeArtifact('1.5.0');
  beforeEach(async () => {
    estate = await startEstate();
    id = newBuild();
  });
  afterEach(() => estate.close());

  const newBuild = (): number => estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
  const push = (buildId: number, artifact: ChartArtifact, options: BuildOptions = {}): Promise<PushResult> =>
    pushCharts(
      { ...estate.surroundings, registry: estate.connect() },
      pushOf(estate, buildId, [{ repository, artifact }], options),
    );
  const tags = (): Record<string, string> => estate.acr.world.tags(repository);
  const assertWhole = ({ manifest, blobs }: ChartArtifact): void => {
    const { world } = estate.acr;
    assert.ok(world.has(repository, manifest.digest));
    for (const { digest, bytes } of blobs) assert.ok(world.blobs.read(digest)?.equals(bytes), digest);
  };
  const count = (operation: string): number => estate.acr.requests.count({ operation, repository, status: 201 });

  describe('as a version that is there with another content', () => {
    it('is refused, and told what to do, with nothing changed', async () => {
      await push(id, chart);
      const before = estate.acr.world.snapshot();
      const { message } = await fails(push(newBuild(), changed), 'TAG_TAKEN');
      assert.deepEqual(estate.acr.world.snapshot(), before);
      for (const part of [`${repository}:${tag}`, chart.manifest.digest, changed.manifest.digest, 'Chart.yaml']) {
        assert.ok(message.includes(part), message);
      }
    });

    it('is refused also for a later attempt of the job that pushed it: somebody may have installed it', async () => {
      await push(id, chart);
      await fails(push(id, changed, { attempt: '1.2' }), 'TAG_TAKEN');
      assert.deepEqual(tags(), { [id]: chart.manifest.digest, [tag]: chart.manifest.digest });
    });

    it('moves with the build tag where it names the build, as another attempt of its job does', async () => {
      const [first, second] = ['one', 'two'].map(content => makeArtifact(`1.4.0+build.${id}`, content));
      assert.ok(first && second);
      await push(id, first);
      await fails(push(id, second), 'TAG_TAKEN');
      const { charts } = await push(id, second, { attempt: '1.2' });
      const from = first.manifest.digest;
      assert.deepEqual(charts[0]?.moved, [
        { repository, tag: String(id), from },
        { repository, tag: `1.4.0_build.${id}`, from },
      ]);
      const { digest } = second.manifest;
      assert.deepEqual(tags(), { [id]: digest, [`1.4.0_build.${id}`]: digest });
      await fails(push(newBuild(), makeArtifact(`1.4.0+build.${id}`, 'three')), 'TAG_TAKEN');
    });

    it('is refused where that came while it was sent, and gets no tag', async () => {
      estate.acr.faults.intercept = (request, phase) => {
        const isSent = request.operation === 'manifest.put' && request.reference === changed.manifest.digest;
        if (!isSent || phase === 'before') return 'proceed';
        for (const { bytes } of chart.blobs) estate.acr.world.putBlob(repository, bytes);
        estate.acr.world.putManifest(repository, chart.manifest.bytes, { tags: [tag] });
        return 'proceed';
      };
      await fails(push(id, changed), 'TAG_TAKEN');
      assert.deepEqual(tags(), { [tag]: chart.manifest.digest });
      assert.equal((await recordsIn(estate.connect(), estate.projectId, id)).length, 1);
    });

    it('may try again where that came in the same moment', async () => {
      await push(newBuild(), next);
      estate.acr.faults.intercept = (request, phase) => {
        const isTag = request.operation === 'manifest.put' && request.reference === tag;
        if (isTag && phase === 'after') estate.acr.world.tag(repository, tag, next.manifest.digest);
        return 'proceed';
      };
      assert.equal((await fails(push(id, chart), 'TAG_TAKEN')).retryable, true);
      assert.equal(tags()[id], undefined, 'and has no build tag');
    });
  });

  describe('under a build tag that is on another chart', () => {
    it('takes it from an earlier attempt of its own job', async () => {
      await push(id, chart, { attempt: '1.1' });
      const { charts } = await push(id, next, { attempt: '1.2' });
      assert.deepEqual(charts[0]?.moved, [{ repository, tag: String(id), from: chart.manifest.digest }]);
      const [old, now] = [chart.manifest.digest, next.manifest.digest];
      assert.deepEqual(tags(), { [id]: now, [tag]: old, '1.5.0': now });
    });

    it('leaves it to another job, another step and whoever moved it, with nothing changed', async () => {
      await push(id, chart, { attempt: '1.2' });
      const refuse = async (options: BuildOptions): Promise<void> => {
        const before = estate.acr.world.snapshot();
        const { message } = await fails(push(id, next, options), 'TAG_TAKEN');
        assert.match(
          message,
          /no earlier attempt of this job put it there\. Nothing was changed\. Push the chart in one step/,
        );
        assert.deepEqual(estate.acr.world.snapshot(), before);
      };
      await refuse({ attempt: '1.2' });
      await refuse({ attempt: '2.1', job: 'other' });
      const theirs = estate.acr.world.putImage(repository).digest;
      estate.acr.world.tag(repository, String(id), theirs);
      await refuse({ attempt: '2.1' });
    });

    it('is one more tag of the chart that another job of the build pushed', async () => {
      await push(id, chart, { job: 'one' });
      await push(id, chart, { job: 'other' });
      assert.equal((await recordsIn(estate.connect(), estate.projectId, id)).length, 2);
      assert.deepEqual(tags(), { [id]: chart.manifest.digest, [tag]: chart.manifest.digest });
    });
  });

  describe('while a deletion takes the same chart', () => {
    for (const [what, nth] of [
      ['its manifest', 1],
      ['its version', 2],
      ['its build tag', 3],
    ] as const) {
      it(`is whole where that happens right before ${what} is put`, async () => {
        await push(newBuild(), chart);
        estate.acr.requests.clear();
        let puts = 0;
        estate.acr.faults.intercept = ({ operation, repository: at }, phase) => {
          if (operation !== 'manifest.put' || at !== repository || phase !== 'before') return 'proceed';
          puts += 1;
          if (puts !== nth) return 'proceed';
          estate.acr.world.deleteManifest(repository, chart.manifest.digest);
          for (const { digest } of chart.blobs) estate.acr.world.unlinkBlob(repository, digest);
          return 'proceed';
        };
        await push(id, chart);
        assertWhole(chart);
        const { digest } = chart.manifest;
        assert.deepEqual(tags(), { [id]: digest, [tag]: digest });
        assert.deepEqual([count('upload.finish'), count('manifest.put')], [2, nth === 3 ? 4 : 3]);
        assert.equal(estate.acr.requests.count({ operation: 'manifest.put', repository, status: 400 }), 1);
      });
    }

    it('fails where its parts vanish again', async () => {
      estate.acr.faults.intercept = ({ operation, repository: at }, phase) => {
        if (operation === 'manifest.put' && at === repository && phase === 'before') {
          for (const { digest } of chart.blobs) estate.acr.world.unlinkBlob(repository, digest);
        }
        return 'proceed';
      };
      assert.match((await fails(push(id, chart), 'REGISTRY_UNEXPECTED')).message, /MANIFEST_BLOB_UNKNOWN/);
      assert.equal(count('upload.finish'), 4);
      assert.deepEqual(tags(), {});
    });
  });

  describe('where something is locked', () => {
    it('leaves a version that is locked with this content, and puts the build tag', async () => {
      await push(newBuild(), chart);
      estate.acr.world.setAttributes(repository, tag, { writeEnabled: false });
      await push(id, chart);
      assert.equal(tags()[id], chart.manifest.digest);
    });

    it('fails where the whole chart is locked, and puts no tag', async () => {
      await push(newBuild(), chart);
      estate.acr.world.setAttributes(repository, chart.manifest.digest, { writeEnabled: false });
      await fails(push(id, chart), 'LOCKED');
      assert.equal(tags()[id], undefined);
    });
  });
});
