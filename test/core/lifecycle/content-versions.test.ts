/** Charts whose version names their content: builds share them, and they go with the last one. docs/adr/0005 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { type ChartThere, pushChart, putChart } from './charts-in.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

describe('a chart whose version names its content', () => {
  const version = '1.4.0+c.3f9a1c22d0';
  const tag = '1.4.0_c.3f9a1c22d0';
  const repository = 'charts/shop';
  let estate: Estate;
  let chart: ChartThere;
  beforeEach(async () => {
    estate = await startEstate();
    chart = putChart(estate.acr, repository, version);
  });
  afterEach(() => estate.close());

  const tags = (): Record<string, string> => estate.acr.world.tags(repository);
  const isThere = (digest: string = chart.digest): boolean => estate.acr.world.has(repository, digest);
  const newBuild = (): number => estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
  const made = async (there: ChartThere = chart): Promise<number> => {
    const id = newBuild();
    await pushChart(estate, id, there);
    return id;
  };
  const end = async (...builds: readonly number[]): Promise<void> => {
    for (const id of builds) estate.ado.world.deleteBuild(id);
    for (const report of await estate.settle())
      deepEqual(
        report.items.filter(item => item.outcome === 'failed'),
        [],
      );
  };

  it('stays with the second build when the first one goes, and goes with that', async () => {
    const [first, second] = [await made(), await made()];
    await end(first);
    deepEqual(tags(), { [tag]: chart.digest, [second]: chart.digest });
    await end(second);
    equal(isThere(), false);
    deepEqual(tags(), {});
    estate.advance(2 * day);
    await estate.settle();
    const left = [`image-lifecycle/builds/${estate.projectId}`, `image-lifecycle/tombstones/${estate.projectId}`];
    deepEqual(
      left.map(each => Object.keys(estate.acr.world.tags(each))),
      [[], []],
      'the account is closed',
    );
  });

  it('can be installed by its version as long as it is there', async () => {
    const id = await made();
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    deepEqual(tags(), { [tag]: chart.digest });
    estate.advance(estate.rules.graceMs - hour);
    await estate.reconcile();
    deepEqual(tags(), { [tag]: chart.digest });
  });

  it('stays where a build pushes the same again within the grace', async () => {
    const id = await made();
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    const later = await made();
    estate.advance(estate.rules.graceMs + hour);
    await estate.reconcile();
    deepEqual(tags(), { [tag]: chart.digest, [later]: chart.digest });
  });

  it('stays where a build pushes the same at the last moment', async () => {
    const id = await made();
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(estate.rules.graceMs + hour);
    const later = newBuild();
    let asked = 0;
    estate.acr.faults.intercept = (request, phase) => {
      // The question for the tags of this digest is the last before the deletion.
      if (phase === 'before' && request.operation === 'tags.list' && request.repository === repository) {
        asked += 1;
        estate.acr.world.tag(repository, String(later), chart.digest);
      }
      ok(request.operation !== 'manifest.delete' || request.repository !== repository);
      return 'proceed';
    };
    await estate.reconcile();
    ok(asked > 0);
    deepEqual(tags(), { [tag]: chart.digest, [later]: chart.digest });
  });

  it('stays, with its version, where another tag holds it', async () => {
    const id = await made();
    estate.acr.world.tag(repository, 'production', chart.digest);
    await end(id);
    deepEqual(tags(), { [tag]: chart.digest, production: chart.digest });
  });

  it('stays where the tag of its version is locked', async () => {
    const id = await made();
    estate.acr.world.setAttributes(repository, tag, { deleteEnabled: false });
    await end(id);
    ok(isThere());
    deepEqual(Object.keys(tags()).sort(), [tag, String(id)].sort());
  });

  it('goes where it is an earlier attempt’s and the build made another one', async () => {
    const id = await made();
    const other = putChart(estate.acr, repository, '1.4.0+c.aaaaaaaaaa');
    await pushChart(estate, id, other, { attempt: '2.1' });
    deepEqual(tags()[id], other.digest);
    await end(id);
    deepEqual(tags(), {});
    equal(isThere(), false);
    equal(isThere(other.digest), false);
  });

  it('stays where the build says "keep"', async () => {
    const id = newBuild();
    await pushChart(estate, id, chart, { onBuildDeleted: 'keep' });
    await end(id);
    deepEqual(tags(), { [tag]: chart.digest, [id]: chart.digest });
  });

  it('is a copy in a stage, and goes from there as from everywhere, where the configuration says so', async () => {
    estate.rules = { ...estate.rules, promoted: 'delete' };
    const id = newBuild();
    const charts = [{ repository, digest: chart.digest, version: tag }];
    await leavePromotion(estate, id, { copies: [{ repository, digest: chart.digest }], charts });
    deepEqual(Object.keys(tags()).sort(), [tag, String(id)].sort());
    await end(id);
    deepEqual(tags(), {});
    equal(isThere(), false);
  });

  it('is told of by a dry run, and stays', async () => {
    const id = await made();
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(estate.rules.graceMs + hour);
    const report = await estate.reconcile({ dryRun: true });
    const deleted = report.items.filter(item => item.outcome === 'deleted').map(item => item.subject);
    deepEqual(deleted, [`${repository}@${chart.digest}`]);
    deepEqual(tags(), { [tag]: chart.digest });
  });

  describe('only seems to be one, and so is held by that tag,', () => {
    const held: readonly (readonly [why: string, put: () => Promise<string>])[] = [
      [
        'where it is an image',
        async () => {
          const annotations = { 'org.opencontainers.image.version': version };
          const image = estate.acr.world.putImage(repository, { tags: [tag], annotations });
          await estate.build([{ repository, reference: image.digest }], { tags: ['1.4.0_c.3f9a1c22d0'] });
          return image.digest;
        },
      ],
      [
        'where the chart says another version',
        async () => {
          const other = putChart(estate.acr, repository, '1.4.0+c.bbbbbbbbbb');
          const id = newBuild();
          await pushChart(estate, id, other, { recorded: [tag, '1.4.0_c.bbbbbbbbbb'] });
          estate.acr.world.tag(repository, tag, other.digest);
          return other.digest;
        },
      ],
      [
        'where the build’s records do not name it',
        async () => {
          await pushChart(estate, newBuild(), chart, { recorded: [] });
          return chart.digest;
        },
      ],
      [
        'where the version is one that somebody chose',
        async () => {
          const released = putChart(estate.acr, repository, '1.4.0+c.release');
          await pushChart(estate, newBuild(), released);
          return released.digest;
        },
      ],
    ];
    for (const [why, put] of held) {
      it(why, async () => {
        const digest = await put();
        const before = Object.keys(tags()).filter(each => tags()[each] === digest);
        const builds = before.filter(each => /^\d+$/.test(each)).map(Number);
        equal(builds.length, 1);
        await end(...builds);
        ok(isThere(digest));
        deepEqual(
          Object.keys(tags()).filter(each => tags()[each] === digest),
          before.filter(each => each !== String(builds[0])),
        );
      });
    }
  });

  it('costs an image no request more, and a chart one', async () => {
    const image = estate.acr.world.putImage('app', { tags: ['x'] });
    const reads = async (build: number, from: string): Promise<number> => {
      estate.ado.world.deleteBuild(build);
      const before = estate.acr.requests.count({ operation: 'manifest.get', repository: from });
      await estate.reconcile();
      return estate.acr.requests.count({ operation: 'manifest.get', repository: from }) - before;
    };
    equal(await reads(await estate.build([{ repository: 'app', reference: image.digest }]), 'app'), 0);
    equal(await reads(await made(), repository), 1);
  });
});
