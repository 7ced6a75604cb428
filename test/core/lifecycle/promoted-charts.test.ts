/** A chart that a build pushed goes with its images into the next stage, under its version and the build tag. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { pushCharts } from '../../../core/lifecycle/push-charts.ts';
import { makeArtifact, pushOf } from './packed-charts.ts';
import { recordsIn } from './records-in.ts';
import { type Stages, startStages } from './stages.ts';

describe('a chart that a build pushed', () => {
  let stages: Stages;
  let id: number;
  const chart = makeArtifact('1.4.0+c.3f9a1c22d0');
  const repository = 'charts/shop';
  beforeEach(async () => {
    stages = await startStages();
    const { ci } = stages;
    id = await ci.build([{ repository: 'shop/web', reference: ci.acr.world.putImage('shop/web').digest }]);
    await pushCharts(ci.surroundings, pushOf(ci, id, [{ repository, artifact: chart }]));
  });
  afterEach(() => stages.close());

  it('is promoted under its version and the build tag, whole, and recorded with its archive', async () => {
    await stages.promote(id, { mapping: { prefix: 'prod', renamed: new Map() }, tags: ['{branch}'] });
    const { world } = stages.stage;
    const { digest } = chart.manifest;
    deepEqual(world.tags(`prod/${repository}`), { '1.4.0_c.3f9a1c22d0': digest, [id]: digest });
    ok(world.manifest(`prod/${repository}`, digest)?.bytes.equals(chart.manifest.bytes));
    for (const part of chart.blobs) ok(world.blobs.read(part.digest)?.equals(part.bytes));
    const records = await recordsIn(stages.connect(stages.stage), stages.ci.projectId, id);
    const [recorded, ...more] = records.flatMap(record => record.charts);
    deepEqual(
      [recorded?.repository, recorded?.name, recorded?.version, recorded?.archive],
      [`prod/${repository}`, 'shop', '1.4.0+c.3f9a1c22d0', chart.archive],
    );
    deepEqual(recorded?.tags, [String(id), '1.4.0_c.3f9a1c22d0']);
    equal(more.length, 0);
  });

  it('stays behind where charts are not wanted', async () => {
    await stages.promote(id, { charts: false });
    deepEqual(stages.stage.world.tags(repository), {});
  });
});
