/** What happens to a repository between the mark and the sweep of a collection. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { LoggedRequest } from '../../emulators/acr/request-log.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';
import { actAmongFive } from './five-at-once.ts';

type Moment = (request: LoggedRequest, phase: 'before' | 'after') => boolean;

const isLookAtNewest: Moment = (request, phase) => request.query['orderby'] !== undefined && phase === 'before';
const isQuestionForReferrers: Moment = (request, phase) => request.operation === 'referrers.list' && phase === 'before';
const isRefusedDeletion: Moment = (request, phase) => request.operation === 'manifest.delete' && phase === 'after';

describe('what is done to a repository while it is collected', () => {
  let estate: Estate;
  let image: { mediaType: string; digest: string; size: number };
  beforeEach(async () => {
    estate = await startEstate();
    image = estate.acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
  });
  afterEach(() => estate.close());

  /** Collects, and does something once, at the first such request. Gives why things were kept. */
  const collectWith = async (isMoment: Moment, act: () => unknown): Promise<string> => {
    let acted = false;
    estate.acr.faults.intercept = (request, phase) => {
      if (!acted && request.repository === 'app' && isMoment(request, phase)) {
        acted = true;
        act();
      }
      return 'proceed';
    };
    const report = await estate.reconcile();
    ok(acted, 'the moment came');
    estate.acr.faults.clear();
    return report.items.map(item => item.reason).join('\n');
  };
  const laterGone = async (): Promise<void> => {
    for (let days = 0; days < 3; days += 1) {
      estate.advance(day + hour);
      await estate.reconcile();
    }
    equal(estate.acr.world.has('app', image.digest), false, 'asked again, and gone when nothing holds it');
  };

  it('a signature by tag holds its image', async () => {
    const tags = [`${image.digest.replace(':', '-')}.sig`];
    const reasons = await collectWith(isLookAtNewest, () =>
      estate.acr.world.putArtifact('app', { artifactType: 'application/vnd.cosign', tags }),
    );
    match(reasons, /pushed just now, names it/);
    equal(estate.acr.world.manifests('app').length, 2);
    await laterGone();
  });

  it('an index holds its child', async () => {
    const reasons = await collectWith(isLookAtNewest, () => estate.acr.world.putIndex('app', [image]));
    match(reasons, /pushed just now, names it/);
    ok(estate.acr.world.has('app', image.digest));
  });

  it('more pushes than can be looked at hold everything', async () => {
    const reasons = await collectWith(isLookAtNewest, () => {
      estate.acr.world.putIndex('app', [image]);
      estate.acr.world.seedManifests('app', { manifests: 100 });
    });
    match(reasons, /more was pushed during the collection than can be looked at/);
    ok(estate.acr.world.has('app', image.digest));
  });

  it('a referrer holds its subject, and both go later', async () => {
    const reasons = await collectWith(isQuestionForReferrers, () =>
      estate.acr.world.putArtifact('app', { artifactType: 'application/vnd.scan', subject: image }),
    );
    match(reasons, /was pushed just now/);
    equal(estate.acr.world.manifests('app').length, 2);
    await laterGone();
    deepEqual(estate.acr.world.manifests('app'), []);
  });

  it('a tag on a referrer holds its subject', async () => {
    const { world } = estate.acr;
    const scan = world.putArtifact('app', { artifactType: 'application/vnd.scan', subject: image });
    estate.advance(25 * hour);
    const reasons = await collectWith(isQuestionForReferrers, () => world.tag('app', 'audit', scan.digest));
    match(reasons, /the tag "audit" is on its referrer/);
    deepEqual(world.tags('app'), { audit: scan.digest });
    ok(world.has('app', image.digest));
    world.untag('app', 'audit');
    await laterGone();
  });

  it('a tag on what refers to its signature by tag holds the image with that', async () => {
    const { world } = estate.acr;
    const tags = [`${image.digest.replace(':', '-')}.sig`];
    const subject = world.putArtifact('app', { artifactType: 'application/vnd.cosign', tags });
    const stamp = world.putArtifact('app', { artifactType: 'application/vnd.timestamp', subject });
    estate.advance(25 * hour);
    await collectWith(isQuestionForReferrers, () => world.tag('app', 'evidence', stamp.digest));
    equal(world.manifests('app').length, 3);
    world.untag('app', 'evidence');
    await laterGone();
    deepEqual(world.manifests('app'), []);
  });

  it('a lock keeps the image, and it is asked again', async () => {
    const reasons = await collectWith(isQuestionForReferrers, () =>
      estate.acr.world.setAttributes('app', image.digest, { deleteEnabled: false }),
    );
    match(reasons, /locked/);
    ok(estate.acr.world.has('app', image.digest));
    estate.acr.world.setAttributes('app', image.digest, { deleteEnabled: true });
    await laterGone();
  });

  it('an index that is pushed while a throttled deletion waits holds its child', async () => {
    const throttle = { kind: 'status', status: 429, retryAfter: 60 } as const;
    estate.acr.faults.add({ operation: 'manifest.delete', repository: 'app', nth: 1 }, throttle);
    const reasons = await collectWith(isRefusedDeletion, () => estate.acr.world.putIndex('app', [image]));
    match(reasons, /pushed just now, names it/);
    ok(estate.acr.world.has('app', image.digest), 'the new index has its child');
  });
});

describe('what is done to a repository while five deletions run side by side', () => {
  let estate: Estate;
  let images: { mediaType: string; digest: string; size: number }[];
  beforeEach(async () => {
    estate = await startEstate();
    images = Array.from({ length: 12 }, () => estate.acr.world.putImage('app'));
    for (const { digest } of images)
      estate.ado.world.deleteBuild(await estate.build([{ repository: 'app', reference: digest }]));
    await estate.reconcile();
    estate.advance(25 * hour);
  });
  afterEach(() => estate.close());

  const there = (): string[] => images.flatMap(({ digest }) => (estate.acr.world.has('app', digest) ? digest : []));

  it('an index holds all of its children, not only the one that asked first', async () => {
    const { world } = estate.acr;
    const moment = actAmongFive(estate, 'app', () => world.putIndex('app', images, { tags: ['multi'] }));
    const { items } = await estate.reconcile();
    ok(moment.came(), 'the moment came');
    equal(there().length, 12);
    deepEqual(
      items.map(({ outcome, reason }) => `${outcome} ${reason.replace(/^sha256:\w+, /, '')}`),
      Array(12).fill('kept pushed just now, names it'),
    );
  });

  it('a question that fails is no answer for any of them, and ends the collection', async () => {
    const { faults, world } = estate.acr;
    const moment = actAmongFive(estate, 'app', () => {
      world.putIndex('app', images, { tags: ['multi'] });
      faults.add({ repository: 'app', path: /orderby/, nth: 1 }, { kind: 'status', status: 400 });
    });
    const { items } = await estate.reconcile();
    ok(moment.came(), 'the moment came');
    equal(there().length, 12);
    for (const { outcome, reason } of items) match(`${outcome} ${reason}`, /^kept the collection broke off: .* 400/);
  });

  it('what is gone already is told as deleted, whatever names it by then', async () => {
    let acted = false;
    estate.acr.faults.intercept = ({ operation, repository }, phase) => {
      if (!acted && operation === 'manifest.delete' && repository === 'app' && phase === 'after') {
        acted = true;
        estate.acr.world.putIndex('app', images);
        estate.advance(30_000);
      }
      return 'proceed';
    };
    const { items } = await estate.reconcile();
    ok(acted && there().length < 12, 'the moment came');
    const kept = items.flatMap(({ outcome, subject }) => (outcome === 'kept' ? subject : []));
    deepEqual(
      kept.sort(),
      there()
        .map(digest => `app@${digest}`)
        .sort(),
    );
    equal(items.length, 12);
  });
});
