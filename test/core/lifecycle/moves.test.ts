import assert from 'node:assert/strict';
import { type Estate, hour, startEstate } from './estate.ts';

describe('a tag that moves', () => {
  let estate: Estate;
  let mine: string;
  let theirs: string;
  let id: number;
  beforeEach(async () => {
    estate = await startEstate();
    mine = estate.acr.world.putImage('app').digest;
    theirs = estate.acr.world.putImage('app', { tags: ['theirs'] }).digest;
    id = await estate.build([{ repository: 'app', reference: mine }]);
    estate.ado.world.deleteBuild(id);
  });
  afterEach(() => estate.close());

  it('is left alone when it moved before the release; the digest it left goes', async () => {
    const { acr } = estate;
    acr.world.tag('app', String(id), theirs);
    const [release] = await estate.settle();
    assert.deepEqual(acr.world.tags('app'), { [id]: theirs, theirs });
    assert.deepEqual(acr.world.manifests('app'), [theirs]);
    assert.match(release!.items.map(item => item.reason).join(), /had moved off it/);
  });

  it('is put back when it moves between the look and the change', async () => {
    const { acr } = estate;
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'tag.delete' && phase === 'before') acr.world.tag('app', String(id), theirs);
      return 'proceed';
    };
    const report = await estate.reconcile();
    acr.faults.clear();
    assert.deepEqual(acr.world.tags('app'), { [id]: theirs, theirs });
    assert.match(report.items.map(item => item.reason).join(), /moved to sha256:.* in that moment, and was put back/);
  });

  it('holds the digest when it is tagged between the two steps', async () => {
    const { acr } = estate;
    await estate.reconcile();
    acr.world.tag('app', 'rescued', mine);
    estate.advance(25 * hour);
    await estate.reconcile();
    assert.deepEqual(acr.world.tags('app'), { rescued: mine, theirs });
    assert.deepEqual(acr.world.repositories(), ['app'], 'and the account is closed');
  });

  it('holds the digest when it is tagged between the mark and the sweep', async () => {
    const { acr } = estate;
    const child = acr.world.putImage('app');
    const index = acr.world.putIndex('app', [child]);
    const build = await estate.build([{ repository: 'app', reference: index.digest }]);
    estate.ado.world.deleteBuild(build);
    await estate.reconcile();
    estate.advance(25 * hour);
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'referrers.list' && phase === 'before') acr.world.tag('app', 'rescued', index.digest);
      return 'proceed';
    };
    await estate.reconcile();
    assert.deepEqual(
      acr.world.manifests('app').sort(),
      [child.digest, index.digest, theirs].sort(),
      'the children stay with their index',
    );
  });

  it('holds a child that an index pushed during the collection names', async () => {
    const { acr } = estate;
    await estate.reconcile();
    estate.advance(25 * hour);
    let pushed = false;
    acr.faults.intercept = (request, phase) => {
      const listed =
        request.operation === 'manifests.list' && request.query['orderby'] === undefined && phase === 'after';
      if (listed && !pushed && request.repository === 'app') {
        pushed = true;
        // The counts are asked after the list, so a fault that adds and removes is the worst case.
        setImmediate(() => {
          acr.world.putIndex('app', [
            { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: mine, size: 1 },
          ]);
        });
      }
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(pushed);
    assert.ok(acr.world.has('app', mine), 'the new index has its child');
  });

  it('holds the digest when it is tagged while a throttled deletion waits', async () => {
    const { acr } = estate;
    await estate.reconcile();
    estate.advance(25 * hour);
    const fault = acr.faults.add(
      { operation: 'manifest.delete', repository: 'app', nth: 1 },
      { kind: 'status', status: 429, retryAfter: 60 },
    );
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'manifest.delete' && phase === 'after') acr.world.tag('app', 'rescued', mine);
      return 'proceed';
    };
    const report = await estate.reconcile();
    assert.equal(fault.hits(), 1);
    assert.equal(acr.world.tags('app')['rescued'], mine);
    assert.match(report.items.map(item => item.reason).join(), /the tag "rescued" is on it/);
  });

  it('is left alone when it moves while a throttled untag waits', async () => {
    const { acr } = estate;
    acr.faults.add({ operation: 'tag.delete', nth: 1 }, { kind: 'status', status: 429, retryAfter: 60 });
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'tag.delete' && phase === 'after') acr.world.tag('app', String(id), theirs);
      return 'proceed';
    };
    await estate.reconcile();
    assert.deepEqual(acr.world.tags('app'), { [id]: theirs, theirs });
    assert.equal(acr.requests.count({ operation: 'tag.delete' }), 1);
  });

  it('comes back when the build turns out to live', async () => {
    const { acr, ado } = estate;
    await estate.reconcile();
    assert.deepEqual(acr.world.tags('app'), { theirs });
    delete ado.world.builds.get(id)!.deleted;
    const report = await estate.reconcile();
    assert.deepEqual(
      report.items.map(item => [item.subject, item.outcome]),
      [[`app:${id}`, 'restored']],
    );
    assert.deepEqual(acr.world.tags('app'), { [id]: mine, theirs });
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.manifests('app'), [theirs], 'and goes when it is deleted at last');
  });

  it('comes back at the end of the grace too, when the evidence is read again', async () => {
    const { acr, ado } = estate;
    await estate.reconcile();
    estate.advance(25 * hour);
    delete ado.world.builds.get(id)!.deleted;
    await estate.reconcile();
    assert.equal(acr.world.tags('app')[id], mine);
  });
});

describe('a build that is run again', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('moves its own tag silently, and what was superseded goes with the build', async () => {
    const { acr, ado } = estate;
    const [first, second] = [acr.world.putImage('app'), acr.world.putImage('app')];
    const id = await estate.build([{ repository: 'app', reference: first.digest }], { attempt: '1.1' });
    const result = await estate.tag(id, [{ repository: 'app', reference: second.digest }], { attempt: '1.2' });
    assert.deepEqual(result.images[0]!.moved, [{ repository: 'app', tag: String(id), from: first.digest }]);
    assert.deepEqual(acr.world.tags('app'), { [id]: second.digest });
    assert.equal(Object.keys(acr.world.tags(`image-lifecycle/builds/${estate.projectId}`)).length, 2);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.deepEqual(acr.world.repositories(), []);
  });

  it('refuses to take a tag from another job of the build, and changes nothing', async () => {
    const { acr } = estate;
    const [first, second] = [acr.world.putImage('app'), acr.world.putImage('app')];
    const id = await estate.build([{ repository: 'app', reference: first.digest }], { job: 'linux' });
    const before = acr.world.snapshot();
    await assert.rejects(estate.tag(id, [{ repository: 'app', reference: second.digest }], { job: 'windows' }), {
      code: 'TAG_TAKEN',
    });
    assert.deepEqual(acr.world.snapshot(), before);
  });
});
