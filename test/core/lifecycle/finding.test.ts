/** What it costs to find the builds that are gone, and what a dry run goes by. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { seedBuilds } from '../../../scripts/bench/recorded-world.ts';
import { day, type Estate, startEstate } from './estate.ts';

describe('finding the builds that are gone', () => {
  let estate: Estate;
  let gone: number[];
  beforeEach(async () => {
    estate = await startEstate();
    const world = { repositories: 20, builds: 450, images: 1, gone: 12 };
    const at = estate.acr.clock.now() - 30 * day;
    gone = [...seedBuilds(estate, world, () => at).keys()].slice(0, world.gone);
  });
  afterEach(() => estate.close());

  const asked = (): { list: number; get: number; records: number } => ({
    list: estate.ado.requests.count('builds.list'),
    get: estate.ado.requests.count('builds.get'),
    records: estate.acr.requests.count({
      operation: 'manifest.get',
      repository: `image-lifecycle/builds/${estate.projectId}`,
    }),
  });

  for (const [what, bareBuildIdsGiveDeleted, list] of [
    ['where those answer for deleted builds, too', true, 3],
    ['and one for the list of the deleted, where they do not', false, 4],
  ] as const) {
    it(`takes a question for 200 builds in a dry run, ${what}`, async () => {
      Object.assign(estate.ado.world.behaviour, { bareBuildIdsGiveDeleted });
      const { plan } = await estate.reconcile({ dryRun: true });
      deepEqual(new Set(plan.release.map(each => each.buildId)), new Set(gone));
      deepEqual(asked(), { list, get: 0, records: 12 });
    });
  }

  it('asks for each that is gone where the list of the deleted cannot be read', async () => {
    estate.ado.faults.intercept = ({ operation, query }) =>
      operation === 'builds.list' && query['deletedFilter'] === 'onlyDeleted' ? 'cut' : 'proceed';
    const { plan } = await estate.reconcile({ dryRun: true });
    equal(plan.release.length, 12);
    equal(asked().get, 12);
  });

  it('takes one more for each that is released, right before, and none while it waits', async () => {
    await estate.reconcile();
    deepEqual(asked(), { list: 3, get: 12, records: 12 });
    estate.ado.requests.clear();
    estate.acr.requests.clear();
    await estate.reconcile();
    deepEqual(asked(), { list: 3, get: 0, records: 0 });
  });

  it('goes by the answer of the build itself where it is released, whatever was answered in bulk', async () => {
    const [id = 0] = gone;
    estate.ado.faults.intercept = ({ operation }) => {
      if (operation === 'builds.get') delete estate.ado.world.builds.get(id)!.deleted;
      return 'proceed';
    };
    const { items } = await estate.reconcile();
    equal(items.filter(item => item.outcome === 'released').length, 11);
    const [repository = ''] = estate.acr.world.repositories().filter(name => estate.acr.world.has(name, String(id)));
    match(repository, /^shop\//);
  });

  it('in a dry run goes by a pipeline that the records name alone', async () => {
    const [id = 0] = gone;
    const other = estate.ado.world.addDefinition({ projectId: estate.projectId });
    Object.assign(estate.ado.world.builds.get(id)!, { definitionId: other.id });
    const { plan, items } = await estate.reconcile({ dryRun: true });
    equal(plan.release.length, 11);
    match(items.map(item => item.reason).join(), /the record names definition \d+, Azure DevOps \d+/);
  });
});
