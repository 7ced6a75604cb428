/** Releases and restorations that do not come to their end at once. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { type Estate, hour, startEstate } from './estate.ts';

describe('a release that is interrupted', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  let tombstones: string;
  beforeEach(async () => {
    estate = await startEstate();
    tombstones = `image-lifecycle/tombstones/${estate.projectId}`;
    digest = estate.acr.world.putImage('app').digest;
    id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
  });
  afterEach(() => estate.close());

  const tags = (): unknown => estate.acr.world.tags('app');
  const refuseUntag = () => estate.acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status: 500 });

  it('takes no tag off that is not written down', async () => {
    const fault = estate.acr.faults.add(
      { operation: 'manifest.put', repository: tombstones },
      { kind: 'status', status: 500 },
    );
    const report = await estate.reconcile();
    ok(fault.hits() > 0);
    deepEqual(
      report.items.map(item => item.outcome),
      ['failed'],
    );
    deepEqual(tags(), { [id]: digest });
    equal(estate.acr.requests.count({ operation: 'tag.delete' }), 0);
  });

  it('goes on at the next run, and does not wait for the grace', async () => {
    const fault = refuseUntag();
    await estate.reconcile();
    ok(fault.hits() > 0);
    deepEqual(tags(), { [id]: digest });
    fault.remove();
    const report = await estate.reconcile();
    deepEqual(
      report.items.map(item => [item.subject, item.outcome]),
      [[`app:${id}`, 'released']],
    );
    deepEqual(tags(), {});
  });

  it('is not collected by the run that takes its tags off, however late that is', async () => {
    refuseUntag();
    await estate.reconcile();
    estate.acr.faults.clear();
    estate.advance(25 * hour);
    await estate.reconcile();
    deepEqual(tags(), {});
    ok(estate.acr.world.has('app', digest));
  });

  it('does not go on in a dry run', async () => {
    refuseUntag();
    await estate.reconcile();
    estate.acr.faults.clear();
    const before = estate.acr.world.snapshot();
    await estate.reconcile({ dryRun: true });
    deepEqual(estate.acr.world.snapshot(), before);
  });

  it('ends when it is told to, before a tag and before what it writes down', async () => {
    for (const operation of ['tags.list', 'manifest.put']) {
      const controller = new AbortController();
      estate.acr.faults.intercept = (request, phase) => {
        const isMoment = request.operation === operation && phase === 'after';
        if (isMoment) controller.abort(new Error('told to end'));
        return 'proceed';
      };
      await rejects(estate.reconcile({ signal: controller.signal }), /told to end/);
      estate.acr.faults.clear();
      deepEqual(tags(), { [id]: digest });
      equal(estate.acr.world.repositories().includes(tombstones), operation === 'manifest.put');
    }
    await estate.reconcile();
    deepEqual(tags(), {});
  });
});

describe('a restoration', () => {
  let estate: Estate;
  let digest: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    digest = estate.acr.world.putImage('app').digest;
    id = await estate.build([
      { repository: 'app', reference: digest },
      { repository: 'other', reference: estate.acr.world.putImage('other').digest },
    ]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    delete estate.ado.world.builds.get(id)!.deleted;
  });
  afterEach(() => estate.close());

  it('does not take a tag back from who has it by now', async () => {
    const theirs = estate.acr.world.putImage('app').digest;
    estate.acr.world.tag('app', String(id), theirs);
    const report = await estate.reconcile();
    deepEqual(estate.acr.world.tags('app'), { [id]: theirs });
    match(report.items.map(item => item.reason).join('\n'), /but the tag is on sha256:/);
  });

  it('brings back what can be, and remembers what cannot', async () => {
    const fault = estate.acr.faults.add(
      { operation: 'manifest.put', repository: 'app' },
      { kind: 'status', status: 403 },
    );
    const report = await estate.reconcile();
    deepEqual(new Set(report.items.map(item => item.outcome)), new Set(['failed', 'restored']));
    deepEqual(estate.acr.world.tags('app'), {});
    ok(estate.acr.world.has('other', String(id)));
    fault.remove();
    await estate.reconcile();
    deepEqual(estate.acr.world.tags('app'), { [id]: digest }, 'tried again');
    ok(!estate.acr.world.repositories().some(name => name.includes('tombstones')), 'and then forgotten');
  });

  it('knows what was taken off by a tombstone that another one took the place of', async () => {
    const { acr, ado } = estate;
    ado.world.deleteBuild(id);
    estate.advance(25 * hour);
    // An index so new holds its child for now, and the build's tombstone is renewed.
    acr.world.putIndex('app', [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }]);
    await estate.reconcile();
    deepEqual(acr.world.tags('app'), {});
    ok(acr.world.has('app', digest));
    delete ado.world.builds.get(id)!.deleted;
    await estate.reconcile();
    deepEqual(acr.world.tags('app'), { [id]: digest });
  });

  it('changes nothing in a dry run, and tells what would come back', async () => {
    const before = estate.acr.world.snapshot();
    estate.advance(25 * hour);
    const report = await estate.reconcile({ dryRun: true });
    deepEqual(
      report.items.map(item => item.outcome),
      ['restored', 'restored'],
    );
    deepEqual(estate.acr.world.snapshot(), before);
  });
});
