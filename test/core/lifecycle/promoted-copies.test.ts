/** Copies that a promotion brought: the configuration decides whether they go with their build, and may change its mind. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { Report } from '../../../core/lifecycle/report.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';

const prod = 'prod/app';

function lines(report: Report): string[] {
  return report.items.map(item => `${item.outcome} ${item.subject}: ${item.reason}`);
}

describe('a promoted copy of a build that is gone', () => {
  let estate: Estate;
  let id: number;
  let digest: string;
  let record: string;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage(prod).digest;
    ({ id } = estate.ado.world.addBuild({ definitionId: estate.definitionId }));
    record = await leavePromotion(estate, id, { copies: [{ repository: prod, digest }] });
    estate.ado.world.deleteBuild(id);
  });
  afterEach(() => estate.close());

  const records = () => Object.keys(estate.acr.world.tags(`image-lifecycle/builds/${estate.projectId}`));
  const tombstones = () => Object.keys(estate.acr.world.tags(`image-lifecycle/tombstones/${estate.projectId}`));
  const setRule = (promoted: 'delete' | 'keep'): void => {
    estate.rules = { ...estate.rules, promoted };
  };
  /** Lives on for days, with a reconciliation in each. */
  const live = async (days: number): Promise<string[]> => {
    const told: string[] = [];
    for (let at = 0; at < days; at += 1) {
      told.push(...lines(await estate.reconcile()));
      estate.advance(day + hour);
    }
    return told;
  };
  const untouched = (): void => {
    deepEqual(estate.acr.world.tags(prod), { [id]: digest });
    deepEqual(records(), [record]);
  };

  it('stays where the configuration says nothing, and that is told once', async () => {
    const told = await live(4);
    untouched();
    equal(told.length, 1);
    match(told[0]!, new RegExp(`^kept ${prod}@${digest}: a promoted copy; nothing tells what runs in that stage`));
  });

  it('costs lists alone from then on', async () => {
    await estate.reconcile();
    estate.acr.requests.clear();
    estate.ado.requests.clear();
    await estate.reconcile();
    deepEqual(
      estate.acr.requests.all().map(request => request.operation),
      // The records and the tombstones, each between two counts.
      ['builds', 'tombstones'].flatMap(() => ['repository.get', 'oci.tags.list', 'repository.get']),
    );
    equal(estate.ado.requests.count('builds.get'), 0);
  });

  it('is told of by a dry run, which closes nothing', async () => {
    const before = estate.acr.world.snapshot();
    for (let runs = 0; runs < 2; runs += 1) {
      const report = await estate.reconcile({ dryRun: true });
      match(lines(report).join(), /^kept prod\/app@sha256:\w+: a promoted copy;/);
      deepEqual(report.plan, { release: [], collect: [] });
    }
    deepEqual(estate.acr.world.snapshot(), before);
  });

  it('goes with "delete", by the same laws, and leaves nothing', async () => {
    setRule('delete');
    const [release] = await estate.settle();
    deepEqual(
      release!.items.map(item => [item.subject, item.outcome]),
      [[`${prod}:${id}`, 'released']],
    );
    deepEqual(estate.acr.world.snapshot(), { repositories: {}, blobs: [] });
  });

  it('stays with "delete" where another tag holds it, or nothing ties it to the build', async () => {
    setRule('delete');
    const { acr, ado } = estate;
    acr.world.tag(prod, 'live', digest);
    const untied = acr.world.putImage('prod/untied', { tags: ['blue'] }).digest;
    const other = ado.world.addBuild({ definitionId: estate.definitionId }).id;
    await leavePromotion(estate, other, { copies: [{ repository: 'prod/untied', digest: untied }] });
    acr.world.untag('prod/untied', String(other));
    ado.world.deleteBuild(other);
    const told = await live(4);
    deepEqual(acr.world.tags(prod), { live: digest });
    deepEqual(acr.world.tags('prod/untied'), { blue: untied });
    match(told.join('\n'), /the build tag "\d+" is not in that repository, so nothing ties it to the build/);
    deepEqual(records(), [], 'and the accounts are closed');
  });

  it('stays with "delete" where its pipeline had said "keep"', async () => {
    setRule('delete');
    const kept = estate.acr.world.putImage('prod/kept').digest;
    const other = estate.ado.world.addBuild({ definitionId: estate.definitionId }).id;
    await leavePromotion(estate, other, {
      copies: [{ repository: 'prod/kept', digest: kept }],
      onBuildDeleted: 'keep',
    });
    estate.ado.world.deleteBuild(other);
    const told = await live(4);
    deepEqual(estate.acr.world.tags('prod/kept'), { [other]: kept });
    match(told.join('\n'), /its pipeline said "onBuildDeleted: keep"/);
    setRule('keep');
    equal((await live(3)).length, 0, 'what a record keeps, no rule opens again');
  });

  it('is not even looked at with "keep"', async () => {
    estate.rules = { ...estate.rules, onBuildDeleted: 'keep' };
    estate.acr.requests.clear();
    await live(2);
    equal(estate.acr.requests.count(), 0);
    untouched();
  });

  it('is taken up again when the configuration changes to "delete"', async () => {
    await live(3);
    setRule('delete');
    const told = await live(3);
    deepEqual(
      told.map(line => line.split(':')[0]),
      [`released ${prod}`, `deleted ${prod}@sha256`],
    );
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('is taken up again by a dry run as well, which changes nothing', async () => {
    await live(3);
    setRule('delete');
    const before = estate.acr.world.snapshot();
    const report = await estate.reconcile({ dryRun: true });
    deepEqual(report.plan.release, [{ projectId: estate.projectId, buildId: id, images: 1 }]);
    deepEqual(estate.acr.world.snapshot(), before);
  });

  it('has its tags back at once when the configuration changes within the grace, and stays', async () => {
    setRule('delete');
    await estate.reconcile();
    deepEqual(estate.acr.world.tags(prod), {});
    setRule('keep');
    const dry = await estate.reconcile({ dryRun: true });
    deepEqual(estate.acr.world.tags(prod), {}, 'a dry run changes nothing');
    for (const report of [dry, await estate.reconcile()]) {
      deepEqual(lines(report), [
        `restored ${prod}:${id}: the configuration keeps promoted copies now`,
        `kept ${prod}@${digest}: ${report.items[1]!.reason}`,
      ]);
    }
    untouched();
    estate.acr.requests.clear();
    deepEqual(await live(4), []);
    untouched();
    const asked = estate.acr.requests.all().filter(request => request.operationClass !== 'OAuth');
    deepEqual(new Set(asked.map(request => request.operation)), new Set(['repository.get', 'oci.tags.list']));
    setRule('delete');
    await live(3);
    deepEqual(estate.acr.world.repositories(), [], 'and goes when it changes back');
  });

  it('has its tags back when a hint comes, though its grace is over', async () => {
    setRule('delete');
    await estate.reconcile();
    estate.advance(25 * hour);
    setRule('keep');
    await estate.reconcile({ only: [{ projectId: estate.projectId, buildId: id }] });
    untouched();
  });

  it('is not collected at the end of a grace in which the configuration changed', async () => {
    setRule('delete');
    await estate.reconcile();
    estate.advance(25 * hour);
    setRule('keep');
    await live(3);
    untouched();
  });

  it('has its tags back, though the tombstone that took them off was renewed since', async () => {
    setRule('delete');
    await estate.reconcile();
    estate.advance(25 * hour);
    // An index so new holds its child for now.
    estate.acr.world.putIndex(prod, [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }]);
    const before = tombstones();
    await estate.reconcile();
    ok(!tombstones().some(tag => before.includes(tag)), 'renewed');
    deepEqual(estate.acr.world.tags(prod), {});
    setRule('keep');
    await estate.reconcile();
    untouched();
  });

  it('has its tags back, though another tag holds it and only its neighbour was looked at again since', async () => {
    const { world } = estate.acr;
    const locked = world.putImage('prod/locked').digest;
    await leavePromotion(estate, id, { copies: [{ repository: 'prod/locked', digest: locked }] });
    world.tag(prod, 'live', digest);
    setRule('delete');
    await estate.reconcile();
    world.setAttributes('prod/locked', locked, { deleteEnabled: false });
    estate.advance(25 * hour);
    await live(2);
    deepEqual(world.tags(prod), { live: digest });
    setRule('keep');
    await estate.reconcile();
    deepEqual([world.tags(prod), world.tags('prod/locked')], [{ [id]: digest, live: digest }, { [id]: locked }]);
  });

  it('loses no more tags when its release was interrupted before the configuration changed', async () => {
    const second = estate.acr.world.putImage('prod/web').digest;
    await leavePromotion(estate, id, { copies: [{ repository: 'prod/web', digest: second }] });
    setRule('delete');
    const fault = estate.acr.faults.add(
      { operation: 'tag.delete', repository: 'prod/web' },
      { kind: 'status', status: 500 },
    );
    await estate.reconcile();
    deepEqual([estate.acr.world.tags(prod), estate.acr.world.tags('prod/web')], [{}, { [id]: second }]);
    fault.remove();
    setRule('keep');
    estate.acr.requests.clear();
    await live(3);
    equal(estate.acr.requests.count({ operation: 'tag.delete' }), 0);
    deepEqual([estate.acr.world.tags(prod), estate.acr.world.tags('prod/web')], [{ [id]: digest }, { [id]: second }]);
  });

  it('stays untagged no longer than its tag cannot be put back, and is not collected for another build', async () => {
    const { acr, ado } = estate;
    // A second build has the same digest, and its grace is over first.
    const early = ado.world.addBuild({ definitionId: estate.definitionId }).id;
    await leavePromotion(estate, early, { copies: [{ repository: prod, digest }] });
    setRule('delete');
    await estate.build([{ repository: 'ci/app', reference: acr.world.putImage('ci/app').digest }], { id: 90 });
    await estate.tag(90, [{ repository: prod, reference: digest }], { job: 'forgotten' });
    ado.world.deleteBuild(90);
    ado.world.deleteBuild(early);
    await estate.reconcile();
    deepEqual(acr.world.tags(prod), {});
    estate.advance(25 * hour);
    setRule('keep');
    const refusal = acr.faults.add({ operation: 'manifest.put', repository: prod }, { kind: 'status', status: 403 });
    const report = await estate.reconcile();
    match(lines(report).join('\n'), /failed prod\/app:/);
    match(lines(report).join('\n'), /kept prod\/app@.*is to come back/);
    ok(acr.world.has(prod, digest), 'the build that pushed it here gave it up, but two promotions did not');
    equal(acr.world.has('ci/app', '90'), false);
    refusal.remove();
    await live(3);
    deepEqual(acr.world.tags(prod), { [id]: digest, [early]: digest });
  });

  it('that was collected before the configuration changed is told of, and then forgotten', async () => {
    setRule('delete');
    estate.rules = { ...estate.rules, graceMs: hour };
    await estate.reconcile();
    estate.advance(2 * hour);
    await estate.reconcile();
    deepEqual(estate.acr.world.manifests(prod), []);
    setRule('keep');
    match(lines(await estate.reconcile()).join(), /failed prod\/app:\d+: .*could not be put back/);
    const told = await live(6);
    match(told.join('\n'), /could not be put back/);
    deepEqual(await live(3), []);
    equal(tombstones().filter(tag => tag.includes('deleted')).length, 0);
  });

  it('is looked at again when another record comes, and closed again', async () => {
    await live(2);
    const other = estate.acr.world.putImage('prod/web').digest;
    await leavePromotion(estate, id, { copies: [{ repository: 'prod/web', digest: other }] });
    const told = await live(3);
    equal(told.length, 2, told.join('\n'));
    equal(tombstones().length, 1, 'the account that was closed before is gone');
  });

  it('is protected, and so is everything of its build, by a record that cannot be read', async () => {
    setRule('delete');
    const repository = `image-lifecycle/builds/${estate.projectId}`;
    const image = estate.acr.world.putImage('elsewhere');
    estate.acr.world.putManifest(repository, estate.acr.world.manifest('elsewhere', image.digest)!.bytes, {
      tags: [`${id}.${estate.definitionId}.zz`],
    });
    const told = await live(4);
    deepEqual(estate.acr.world.tags(prod), { [id]: digest });
    match(told.join('\n'), /cannot be read .*, so all its images stay/);
  });

  it('stays when its build turns out to live, whatever is configured then', async () => {
    await live(2);
    delete estate.ado.world.builds.get(id)!.deleted;
    for (const rule of ['keep', 'delete'] as const) {
      setRule(rule);
      deepEqual(await live(3), []);
      untouched();
    }
    deepEqual(tombstones(), []);
  });
});
