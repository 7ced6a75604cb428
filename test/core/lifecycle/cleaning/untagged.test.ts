/** Images without a tag, which go in one step: what is written down before, what holds them, and how many may go. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { makeCleanPlan } from '../../../../core/lifecycle/cleaning/clean-plan.ts';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { day, hour } from '../estate.ts';
import { type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

const notes = 'image-lifecycle/tombstones/untagged';
const policy = `${plain}\ndelete: { untagged: { olderThan: 24h } }`;
const options = { policy };

describe('an image without a tag', () => {
  let world: CleaningWorld;
  beforeEach(async () => {
    world = await startCleaning();
  });
  afterEach(() => world.close());

  const acr = () => world.ci.acr;
  const putOld = (repository = 'app') => acr().world.putImage(repository, { at: acr().clock.now() - 2 * day });
  const noteTags = (): string[] => Object.keys(acr().world.tags(notes));

  it('goes when it is old enough, written down before, and the note goes a day later', async () => {
    const { digest } = putOld();
    const young = acr().world.putImage('app');
    let noted: string[] = [];
    acr().faults.intercept = ({ operation }, phase) => {
      if (operation === 'manifest.delete' && phase === 'before' && noted.length === 0) noted = noteTags();
      return 'proceed';
    };
    const { report } = await world.clean(options);
    deepEqual(told(report), [`app@${digest} deleted`]);
    match(noted.join(), /^\d+\.1\.[0-9a-f]{16}$/);
    deepEqual(noteTags(), noted);
    ok(report.freedBytes > 0);
    deepEqual(acr().world.manifests('app'), [young.digest]);
    acr().world.tag('app', 'v1', young.digest);
    world.ci.advance(day);
    await world.clean(options);
    deepEqual(noteTags(), []);
  });

  it('says in the note what went', async () => {
    const { digest } = putOld();
    await world.clean(options);
    const [tag = ''] = noteTags();
    const layer = acr().world.manifest(notes, tag)?.document.layers?.[0]?.digest ?? '';
    const { repository, digests } = JSON.parse(String(acr().world.blobs.read(layer))) as Record<string, unknown>;
    deepEqual([repository, digests], ['app', [digest]]);
  });

  it('goes not where nothing is said of it', async () => {
    putOld();
    const before = acr().world.snapshot();
    await world.clean();
    deepEqual(acr().world.snapshot(), before);
  });

  it('takes its children and what refers to it along', async () => {
    const { world: images, clock } = acr();
    const at = clock.now() - 2 * day;
    const children = [putOld(), putOld()];
    const index = images.putIndex('app', children, { at });
    images.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index, at });
    images.putArtifact('app', {
      artifactType: 'application/vnd.c',
      tags: [`${index.digest.replace(':', '-')}.sig`],
      at,
    });
    await world.clean(options);
    deepEqual(images.manifests('app'), []);
  });

  it('stays with the index of which it is a child, and with what it refers to', async () => {
    const { world: images, clock } = acr();
    const at = clock.now() - 2 * day;
    const children = [putOld(), putOld()];
    images.putIndex('app', children, { tags: ['v1'], at });
    const image = images.putImage('app', { tags: ['v2'], at });
    images.putArtifact('app', { artifactType: 'application/vnd.sig', subject: image, at });
    const before = images.snapshot();
    await world.clean(options);
    deepEqual(images.snapshot(), before);
  });

  it('is not one whose only tag names its own digest', async () => {
    const { digest } = putOld();
    acr().world.tag('app', `${digest.replace(':', '-')}.imgpkg`, digest);
    const other = putOld();
    world.ci.advance(2 * day);
    deepEqual(told((await world.clean(options)).report), [`app@${other.digest} deleted`]);
    deepEqual(acr().world.manifests('app'), [digest]);
  });

  it('stays in a circle of signatures, as planned', async () => {
    const { world: images, clock } = acr();
    const child = putOld();
    const at = clock.now() - 2 * day;
    images.putIndex('app', [child], { tags: [child.digest.replace(':', '-')], at });
    const { look, report } = await world.clean(options);
    deepEqual(
      look.plan.images.map(each => each.decision),
      ['keep', 'keep'],
    );
    deepEqual(told(report), []);
    equal(images.manifests('app').length, 2);
  });

  it('that is the child of a released index goes with that, and not before', async () => {
    const { world: images, clock } = acr();
    const at = clock.now() - 2 * day;
    const index = images.putIndex('app', [putOld(), putOld()], { at });
    const id = await world.ci.build([{ repository: 'app', reference: index.digest }]);
    images.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index, at });
    world.ci.ado.world.deleteBuild(id);
    const { report } = await world.clean({ policy: `${policy}\nbrake: { deleted: { images: 1, percent: 100 } }` });
    deepEqual(report.braked, [], 'what does not go yet does not count');
    equal(images.manifests('app').length, 4, 'the grace of the index is that of its children and its signature');
    deepEqual(noteTags(), []);
    world.ci.advance(day + hour);
    await world.clean(options);
    deepEqual(images.manifests('app'), []);
  });

  const changes: Readonly<Record<string, [(digest: string) => void, RegExp]>> = {
    'somebody tagged it': [digest => acr().world.tag('app', 'v1', digest), /the tag "v1" is on it/],
    'somebody made an index of it': [
      digest => {
        const { mediaType, bytes } = acr().world.manifest('app', digest)!;
        acr().world.putIndex('app', [{ mediaType, digest, size: bytes.length }]);
      },
      /it is not among what goes for want of a tag|the index sha256:\w+ has it as a child/,
    ],
    'it was locked': [digest => acr().world.setAttributes('app', digest, { deleteEnabled: false }), /it is locked/],
    'it was pushed again': [
      digest => {
        acr().behaviour.repushMovesTime = true;
        acr().world.putManifest('app', acr().world.manifest('app', digest)!.bytes);
      },
      /it was changed within the grace/,
    ],
    'something that is tagged refers to it': [
      digest => {
        const { mediaType, bytes } = acr().world.manifest('app', digest)!;
        const subject = { mediaType, digest, size: bytes.length };
        acr().world.putArtifact('app', { artifactType: 'application/vnd.scan', subject, tags: ['audit'] });
      },
      /its referrer sha256:\w+ is held/,
    ],
  };
  for (const [what, [change, why]] of Object.entries(changes)) {
    it(`stays where between plan and deed ${what}, and does not count`, async () => {
      const { digest } = putOld();
      const look = await world.look(options);
      equal(look.plan.images[0]?.decision, 'delete');
      change(digest);
      const { report } = await world.carryOut(look, options);
      ok(acr().world.has('app', digest));
      deepEqual(told(report), [`app@${digest} kept`]);
      match(report.items[0]?.reason ?? '', why);
      deepEqual(noteTags(), []);
    });
  }

  it('is counted by the brake over a day, repository by repository, and passes it with approval', async () => {
    const braked = { policy: `${policy}\nbrake: { deleted: { images: 3, percent: 100 } }` };
    for (let at = 0; at < 2; at += 1) putOld('aaa');
    for (let at = 0; at < 2; at += 1) putOld('api');
    match((await world.clean(braked)).report.braked.join(), /2 images of api that have no tag would make 4/);
    equal(acr().world.manifests('aaa').length, 0);
    const { facts, plan } = await world.look(braked);
    const approved = makeCleanPlan(facts, plan, { grace: day, registries: [] });
    const { report } = await world.clean(braked);
    deepEqual(report.braked, [
      'ci: The brake holds: 2 images of api that have no tag would make 4 in 24 hours (the limit is 3, brake.deleted.images).',
    ]);
    equal(acr().world.manifests('api').length, 2);
    equal((await world.clean(braked, { approved })).report.braked.length, 0);
    equal(acr().world.manifests('api').length, 0);
    putOld('web');
    equal((await world.clean(braked)).report.braked.length, 1, 'what was approved counts');
  });

  it('may be one of the fifth of a registry, or of twenty', async () => {
    for (let at = 0; at < 21; at += 1) putOld('app');
    const { report } = await world.clean(options);
    match(
      report.braked.join(),
      /would make 21 in 24 hours \(the limit is 20, which may go whatever brake\.deleted\.percent says\)\.$/,
    );
    putOld('app');
    const most = await world.clean({ policy: `${policy}\nbrake: { deleted: { percent: 96 } }` });
    match(most.report.braked.join(), /\(the limit is 21, 96 % of 22 images, brake\.deleted\.percent\)\.$/);
    for (let at = 0; at < 88; at += 1) acr().world.putImage('more', { tags: [`v${at}`] });
    equal((await world.clean(options)).report.braked.length, 0);
    deepEqual(acr().world.manifests('app'), []);
  });

  it('that nobody approved stays', async () => {
    const first = putOld();
    const { facts, plan } = await world.look(options);
    const approved = makeCleanPlan(facts, plan, { grace: day, registries: [] });
    const second = putOld();
    await world.clean(options, { approved });
    deepEqual([acr().world.has('app', first.digest), acr().world.has('app', second.digest)], [false, true]);
  });

  it('is not deleted where that cannot be written down', async () => {
    const { digest } = putOld();
    acr().faults.add({ operation: 'manifest.put', repository: notes }, { kind: 'status', status: 500 });
    const { report } = await world.clean(options);
    match(report.failures.join(), /^ci: /);
    ok(acr().world.has('app', digest));
  });

  it('counts in full where the deletion broke off, and goes at the next run', async () => {
    const { digest } = putOld();
    const look = await world.look(options);
    const fault = acr().faults.add({ operation: 'manifests.list', repository: 'app' }, { kind: 'status', status: 500 });
    const { report } = await world.carryOut(look, options);
    deepEqual(told(report), ['app failed']);
    match(noteTags().join(), /^\d+\.1\./);
    fault.remove();
    await world.clean(options);
    equal(acr().world.has('app', digest), false);
  });

  it('ends as it should wherever a run is killed', async () => {
    let requests = 1;
    for (let at = 1; at <= requests; at += 1) {
      const own = await startCleaning();
      try {
        fill(own);
        const { world: images } = own.ci.acr;
        const look = await own.look(options);
        const controller = new AbortController();
        let count = 0;
        own.ci.acr.faults.intercept = (_request, phase) => {
          if (phase === 'before') return count >= at ? 'cut' : 'proceed';
          count += 1;
          if (count < at) return 'proceed';
          controller.abort(new Error('killed'));
          return 'cut';
        };
        await own.carryOut(look, options, { signal: controller.signal }).catch(() => undefined);
        requests = at === 1 ? await countRequests() : requests;
        own.ci.acr.faults.clear();
        await own.clean(options);
        deepEqual(Object.keys(images.tags('app')), ['v1'], `killed at ${at}`);
        equal(images.manifests('app').length, 1, `killed at ${at}`);
      } finally {
        await own.close();
      }
    }
    ok(requests > 20, `${requests}`);
  }).timeout(120_000);

  it('of another repository is left to the next run where the time is over', async () => {
    putOld('app');
    putOld('web');
    const look = await world.look(options);
    let isOver = false;
    acr().faults.intercept = ({ operation }, phase) => {
      isOver ||= operation === 'manifest.delete' && phase === 'before';
      return 'proceed';
    };
    const { report } = await world.carryOut(look, options, { until: () => isOver });
    acr().faults.clear();
    match(report.stopped.join('\n'), /^ci: The time was over with 1 of 2 repositories done/);
    equal(acr().world.manifests('app').length + acr().world.manifests('web').length, 1);
    await world.clean(options);
    equal(acr().world.manifests('app').length + acr().world.manifests('web').length, 0);
    await rejects(world.carryOut({ ...look, facts: { ...look.facts, registries: [] } }, options), { code: 'DEFECT' });
  });
});

/** An index with two children and a signature that nobody tagged, and an image that somebody did. */
function fill({ ci }: CleaningWorld): void {
  const { world: images, clock } = ci.acr;
  const old = { at: clock.now() - 2 * day };
  const index = images.putIndex('app', [images.putImage('app', old), images.putImage('app', old)], old);
  images.putArtifact('app', { artifactType: 'application/vnd.sig', subject: index, ...old });
  images.putImage('app', { tags: ['v1'], ...old });
}

/** How many requests it takes where nobody kills it. */
async function countRequests(): Promise<number> {
  const own = await startCleaning();
  try {
    fill(own);
    const look = await own.look(options);
    own.ci.acr.requests.clear();
    await own.carryOut(look, options);
    return own.ci.acr.requests.count();
  } finally {
    await own.close();
  }
}

function told({ items }: CleanReport): string[] {
  return items.map(each => `${each.subject} ${each.outcome}`).sort();
}
