/** What must be readable beside a build that is not found, so that it counts as absent. */
import { deepEqual, match } from 'node:assert/strict';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('a build that is not found', () => {
  let estate: Estate;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    id = await estate.build([{ repository: 'app', reference: estate.acr.world.putImage('app').digest }]);
  });
  afterEach(() => estate.close());

  /** Looks many times, over more than any absence takes; nothing may change. */
  const stays = async (reason: RegExp): Promise<void> => {
    const before = estate.acr.world.snapshot().repositories['app'];
    const reasons: string[] = [];
    for (let run = 0; run < 4; run += 1) {
      reasons.push(...(await estate.reconcile()).items.map(item => item.reason));
      estate.advance(20 * day);
    }
    deepEqual(estate.acr.world.snapshot().repositories['app'], before);
    match(reasons.join('\n'), reason);
  };

  it('does not count by a newer build of another pipeline, where its own can be read', async () => {
    const other = estate.ado.world.addDefinition({ projectId: estate.projectId });
    estate.ado.world.purgeBuild(id);
    estate.ado.world.addBuild({ definitionId: other.id });
    await stays(/no newer build is readable/);
  });

  it('does not count by an older build of its pipeline', async () => {
    const { digest } = estate.acr.world.putImage('app');
    const newest = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.purgeBuild(newest);
    await stays(/no newer build is readable/);
  });

  for (const [what, fault] of [
    ['the project cannot be asked for', { operation: 'projects.get' }],
    ['the pipeline cannot be asked for', { operation: 'definitions.get' }],
  ] as const) {
    it(`does not count where ${what}`, async () => {
      estate.ado.world.addBuild({ definitionId: estate.definitionId });
      estate.ado.world.purgeBuild(id);
      estate.ado.faults.add({ ...fault, effect: { kind: 'status', status: 500 } });
      await stays(/500/);
    });
  }

  it('does not count where the newest build of the pipeline cannot be asked for', async () => {
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
    estate.ado.world.purgeBuild(id);
    estate.ado.faults.intercept = request =>
      request.operation === 'builds.list' && request.query['definitions'] !== undefined ? 'cut' : 'proceed';
    await stays(/the newest build of definition/);
  });

  it('is not forgotten by a dry run', async () => {
    estate.ado.world.addBuild({ definitionId: estate.definitionId });
    estate.ado.world.purgeBuild(id);
    await estate.reconcile();
    estate.advance(day + hour);
    const before = estate.acr.world.snapshot();
    const report = await estate.reconcile({ dryRun: true });
    deepEqual(report.plan.release, [{ projectId: estate.projectId, buildId: id, images: 1 }]);
    deepEqual(estate.acr.world.snapshot(), before);
  });

  describe('with another project that we answer for', () => {
    let other: { id: string; definition: number };
    beforeEach(() => {
      const project = estate.ado.world.addProject();
      const definition = estate.ado.world.addDefinition({ projectId: project.id });
      other = { id: project.id, definition: definition.id };
      estate.rules = {
        ...estate.rules,
        projects: [...estate.rules.projects, { projectId: project.id, repositories: ['*'] }],
      };
      estate.ado.world.purgeBuild(id);
      estate.ado.world.addBuild({ definitionId: estate.definitionId });
    });

    it('does not count where that cannot be asked', async () => {
      estate.ado.faults.add({
        operation: 'builds.get',
        path: other.id,
        effect: { kind: 'status', status: 500 },
      });
      await stays(/500/);
    });

    it('does not count where it is a deleted build of that', async () => {
      estate.ado.world.behaviour.deletedReadableMs = 1000 * day;
      estate.ado.world.addBuild({ id, definitionId: other.definition });
      estate.ado.world.deleteBuild(id);
      await stays(/belongs to project/);
    });
  });
});
