/** A registry that fails, denies, cuts, hides or changes: every time unread with the reason, and never fewer images. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { RegistryReading } from '../../../../core/lifecycle/facts/registry-reading.ts';
import type { FaultEffect, FaultMatch } from '../../../emulators/acr/faults.ts';
import type { LoggedRequest } from '../../../emulators/acr/request-log.ts';
import { type Estate, startEstate } from '../estate.ts';
import { imagesOf, organization, readFacts, readingOf, truthOf } from './registry-facts.ts';

/** Why what is unread is: the repositories, the records, or one repository by its name. */
function unreadOf({ facts }: RegistryReading): Record<string, string> {
  const reasons: Record<string, string> = {};
  for (const each of ['repositories', 'records'] as const) {
    const reading = facts[each];
    if (reading.kind === 'unread') reasons[each] = reading.reason;
  }
  for (const { name, images } of facts.repositories.kind === 'whole' ? facts.repositories.items : [])
    if (images.kind === 'unread') reasons[name] = images.reason;
  return reasons;
}

describe('the facts of a registry that fails', () => {
  let estate: Estate;
  let index: string;
  let child: string;
  /** Many pages, of whose images it is not read what they refer to. */
  const pages = 'many';
  before(async () => {
    estate = await startEstate();
    const { world, clock } = estate.acr;
    const image = world.putImage('app');
    child = image.digest;
    index = world.putIndex('app', [image], { tags: ['v1'] }).digest;
    world.seedManifests(pages, { manifests: 1100, tag: at => `other-${at}`, at: clock.now() });
    world.putImage('web', { tags: ['v1'] });
    await estate.build([{ repository: 'app', reference: index }]);
    await estate.build([{ repository: 'web', reference: 'v1' }]);
    const kept = { artifactType: 'application/x', tags: ['99.1.kept.1700000000.1', '99.1.kept.1700000000.2'] };
    world.putArtifact(`image-lifecycle/tombstones/${estate.projectId}`, kept);
  });
  beforeEach(() => {
    estate.acr.faults.clear();
    estate.acr.requests.clear();
  });
  after(() => estate.close());

  const read = (): Promise<RegistryReading> => readFacts(estate, { mayGo: ({ repository }) => repository !== pages });

  /** Everything but `unread` is as it is. */
  const assertWhole = (reading: RegistryReading, unread?: string): void => {
    const truth = truthOf(estate.acr);
    const known = readingOf(reading);
    deepEqual(Object.keys(known), Object.keys(truth));
    for (const [name, images] of Object.entries(truth)) {
      for (const image of name === pages ? Object.values(images) : [])
        (image as { subject: unknown }).subject = undefined;
      if (name !== unread) deepEqual(known[name], images);
    }
  };

  /** What the fault touches is unread, by one reason; all else is whole; and with the fault gone everything is. */
  const assertUnread = async (what: string, [where, effect]: readonly [FaultMatch, FaultEffect], reason: RegExp) => {
    const fault = estate.acr.faults.add(where, effect);
    const reading = await read();
    ok(fault.hits() > 0, 'the fault was met');
    fault.remove();
    const reasons = unreadOf(reading);
    deepEqual(Object.keys(reasons), [what], JSON.stringify(reasons));
    match(reasons[what] ?? '', reason);
    ok(!/[.\n]$/.test(reasons[what] ?? ''), 'it stands in the middle of a sentence');
    if (what !== 'repositories') assertWhole(reading, what);
    const again = await read();
    assertWhole(again);
    deepEqual(unreadOf(again), {});
    equal(again.builds.length, 2);
  };

  const failures: readonly (readonly [string, FaultEffect, RegExp])[] = [
    ['401', { kind: 'status', status: 401 }, /no permission for "\S+" \(GET \S+\)\. Grant "\S+" to the identity/],
    [
      '403',
      { kind: 'status', status: 403 },
      /no permission for "\S+"( \(GET \S+\)\. Grant "\S+" to the identity|\. Give the identity AcrPull)/,
    ],
    ['404 of a proxy', { kind: 'status', status: 404 }, /404|could not be read|cannot be read/],
    ['500', { kind: 'status', status: 500 }, /was refused \(status 500\) until we gave up/],
    ['a cut connection', { kind: 'cut', when: 'before' }, /GET \S+ failed/],
    ['half an answer', { kind: 'cut', when: 'body' }, /GET \S+ failed/],
    [
      'a page of a proxy',
      { kind: 'replaced', body: '<html>Sign in</html>' },
      /not JSON|could not be read|digest|answered 404/,
    ],
    [
      'an answer of another shape',
      { kind: 'replaced', body: '{}' },
      /unknown shape|not one of|are those of|digest|answered 404/,
    ],
  ];
  const lists: readonly (readonly [string, FaultMatch, string])[] = [
    ['the list of repositories', { operation: 'oci.catalog.list' }, 'repositories'],
    ['the properties of a repository', { operation: 'repository.get', repository: pages }, pages],
    ['the list of manifests', { operation: 'manifests.list', repository: pages }, pages],
    ['a later page of manifests', { operation: 'manifests.list', repository: pages, path: /last=/ }, pages],
    ['the list of tags', { operation: 'tags.list', repository: pages }, pages],
    ['a later page of tags', { operation: 'tags.list', repository: pages, path: /last=/ }, pages],
    ['the list of records', { operation: 'oci.tags.list', path: /builds/ }, 'records'],
    ['the properties of the records', { operation: 'repository.get', path: /builds/ }, 'records'],
    ['a record', { operation: 'manifest.get', path: /builds/ }, 'records'],
    ['the list of tombstones', { operation: 'oci.tags.list', path: /tombstones/ }, 'records'],
    ['the properties of the tombstones', { operation: 'repository.get', path: /tombstones/ }, 'records'],
  ];
  it('name the role where a 403 forbids to list the repositories, and a 401 that names no right may be the sign-in', async () => {
    const where = { operation: 'oci.catalog.list' };
    const [forbidden, refused] = [403, 401].map(status => [where, { kind: 'status', status }] as const);
    await assertUnread(
      'repositories',
      forbidden!,
      /: no permission for "registry:catalog:\*"\. Give the identity AcrPull, /,
    );
    await assertUnread(
      'repositories',
      refused!,
      /: no permission for "registry:catalog:\*" \(GET \/v2\/_catalog\)\. Grant /,
    );
  });

  for (const [what, where, unread] of lists) {
    for (const [how, effect, reason] of failures) {
      it(`are unread by ${how} for ${what}`, () => assertUnread(unread, [where, effect], reason));
    }
  }

  for (const [how, effect, reason] of failures) {
    it(`are unread by ${how} for an index`, () => {
      const where = { operation: 'manifest.get', path: new RegExp(index) };
      return assertUnread('app', [where, effect], reason);
    });
  }
  for (const [how, effect, reason] of failures.filter(([name]) => !name.startsWith('404'))) {
    it(`are unread by ${how} for what an image refers to`, () => {
      const where = { operation: 'manifest.get', path: new RegExp(child) };
      return assertUnread('app', [where, effect], reason);
    });
  }

  it('are unread where the registry asks to wait until nobody waits any more', () =>
    assertUnread(
      pages,
      [
        { operation: 'manifests.list', repository: pages },
        { kind: 'status', status: 429, retryAfter: 400 },
      ],
      /too many requests/,
    ));

  it('do not know what an image refers to that is not found any more', async () => {
    const where = { operation: 'manifest.get', path: new RegExp(child) };
    estate.acr.faults.add(where, { kind: 'status', status: 404 });
    const reading = await read();
    deepEqual(unreadOf(reading), {});
    const images = imagesOf(reading)['app'];
    ok(typeof images === 'object');
    equal(images[child]?.subject, undefined);
    equal(Object.values(images).filter(image => image.subject === undefined).length, 1);
  });

  for (const operation of ['manifests.list', 'tags.list']) {
    const where = { operation, repository: pages };
    const kind = operation.split('.')[0];
    it(`are unread where a page of ${operation} names no next one`, () =>
      assertUnread(pages, [where, { kind: 'truncated' }], new RegExp(`has 1100 ${kind}, but lists 1000`)));
    it(`are unread where a page of ${operation} comes twice`, () =>
      assertUnread(pages, [{ ...where, path: /last=/ }, { kind: 'repeated' }], /lead back/));
  }

  it('are unread where the list of manifests hides one, with its tag', () => {
    const hidden = estate.acr.world.digest(pages, 'other-7') ?? '';
    return assertUnread(
      pages,
      [
        { operation: ['manifests.list', 'tags.list'], repository: pages },
        { kind: 'hide', names: [hidden, 'other-7'] },
      ],
      /has 1100 manifests, but lists 1099: some are hidden/,
    );
  });

  it('are unread where a tag is hidden, or a record, or a tombstone', async () => {
    const tags = { operation: ['manifests.list', 'tags.list'], repository: pages };
    await assertUnread(
      pages,
      [tags, { kind: 'hide', names: ['other-7'] }],
      /has 1100 tags, but lists 1099: some are hidden/,
    );
    for (const list of ['builds', 'tombstones']) {
      const [name = ''] = Object.keys(estate.acr.world.tags(`image-lifecycle/${list}/${estate.projectId}`));
      const where = { operation: 'oci.tags.list', path: list };
      await assertUnread(
        'records',
        [where, { kind: 'hide', names: [name] }],
        /has 2 tags, but lists 1: some are hidden/,
      );
    }
  });

  it('are unread where a repository that a record names is not in the list, though it is there', () => {
    const where = { operation: 'oci.catalog.list' };
    return assertUnread('repositories', [where, { kind: 'hide', names: ['web'] }], /lacks web, which is there/);
  });

  it('are unread where the list of repositories lacks that of the records themselves', () => {
    const names = [`image-lifecycle/builds/${estate.projectId}`];
    return assertUnread(
      'repositories',
      [{ operation: 'oci.catalog.list' }, { kind: 'hide', names }],
      /lacks image-life/,
    );
  });

  it('are unread where the lists are those of a replica that lags behind', async () => {
    const { world } = estate.acr;
    const where = { operation: ['manifests.list', 'tags.list'], repository: 'web' };
    const fault = estate.acr.faults.add(where, { kind: 'stale' });
    const { digest } = world.putImage('web', { tags: ['v2'] });
    match(unreadOf(await read())['web'] ?? '', /has 2 manifests, but lists 1: .*stale/);
    fault.remove();
    // The counts agree, but the tag is on another digest in one of the lists.
    estate.acr.faults.add({ operation: 'tags.list', repository: 'web' }, { kind: 'stale' });
    world.tag('web', 'v2', world.digest('web', 'v1') ?? '');
    match(unreadOf(await read())['web'] ?? '', /its lists disagree about what the tag "v2" is on, and so once/);
    estate.acr.faults.clear();
    world.deleteManifest('web', digest);
    world.untag('web', 'v2');
    assertWhole(await read());
  });

  /** Runs `change` before each listing of manifests of `app`, or before the first alone. */
  const meanwhile = (operation: string, isAlways: boolean, change: (time: number) => void): void => {
    let times = 0;
    estate.acr.faults.intercept = (request: LoggedRequest, phase) => {
      if (request.operation !== operation || request.repository !== 'app' || phase !== 'before') return 'proceed';
      if (isAlways || times === 0) change((times += 1));
      return 'proceed';
    };
  };

  it('are read once more where the repository changed while it was listed, and unread where it goes on', async () => {
    const { world } = estate.acr;
    meanwhile('tags.list', false, () => world.putImage('app', { tags: ['while-1'] }));
    const reading = await read();
    assertWhole(reading);
    meanwhile('tags.list', true, time => world.putImage('app', { tags: [`while-${time + 1}`] }));
    match(unreadOf(await read())['app'] ?? '', /changed while it was listed, and so once more$/);
  });

  it('are read once more where an index went while it was listed', async () => {
    const { world } = estate.acr;
    const gone = world.putIndex('app', [world.putImage('app')], { tags: ['gone'] });
    let isGone = false;
    estate.acr.faults.intercept = (request, phase) => {
      if (request.path.endsWith(gone.digest) && phase === 'before' && !isGone) {
        isGone = true;
        world.deleteManifest('app', gone.digest);
      }
      return 'proceed';
    };
    const reading = await read();
    ok(isGone);
    assertWhole(reading);
  });

  it('are read where a record went while it was listed, and unread where it is still listed', async () => {
    const { world } = estate.acr;
    const records = `image-lifecycle/builds/${estate.projectId}`;
    await estate.build([{ repository: 'web', reference: 'v1' }]);
    const [tag = '', digest = ''] = Object.entries(world.tags(records)).at(-1) ?? [];
    let isGone = false;
    estate.acr.faults.intercept = (request, phase) => {
      if (request.operation === 'manifest.get' && request.path.endsWith(tag) && phase === 'before' && !isGone) {
        isGone = true;
        world.deleteManifest(records, digest);
      }
      return 'proceed';
    };
    const { facts, builds } = await read();
    ok(isGone);
    equal(facts.records.kind, 'whole');
    equal(builds.length, 2);
  });
});

describe('records that are not what they should be', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
    const { digest } = estate.acr.world.putImage('app');
    await estate.build([{ repository: 'app', reference: digest }]);
  });
  afterEach(() => estate.close());

  it('are foreign where they are of another collection, and hold what they name as those of a build that nobody knows', async () => {
    const reading = await readFacts(estate, {
      collectionIds: new Map([[organization, '00000000-0000-4000-8000-000000000000']]),
    });
    const [record, ...more] = reading.builds;
    deepEqual(record?.build, {
      organization: 'no organization of the configuration',
      project: estate.projectId,
      id: 1,
    });
    match(record?.stranger ?? '', /^its record is foreign: it is of the collection \S+$/);
    deepEqual([record?.images.map(each => each.repository), more.length], [['app'], 0]);
    equal(reading.foreign.length, 1);
    match(reading.foreign[0]!, /^the record \S+:1\.\d+\.\w+ is not acted on, and what it names stays: it is of the/);
  });

  it('are unread where the id of their collection is not known', async () => {
    const { facts, builds } = await readFacts(estate, { collectionIds: new Map() });
    ok(facts.records.kind === 'unread');
    match(facts.records.reason, new RegExp(`the id of ${organization} was not read`));
    deepEqual(builds, []);
  });

  it('make all records unread where one is damaged, by its name', async () => {
    const { world } = estate.acr;
    const records = `image-lifecycle/builds/${estate.projectId}`;
    world.putArtifact(records, { artifactType: 'application/x', tags: ['99.1.damaged'], content: 'no record' });
    const { facts, builds, absences } = await readFacts(estate);
    ok(facts.records.kind === 'unread');
    match(facts.records.reason, /the record \S+:99\.1\.damaged cannot be read \(.*not an artifact of the type/);
    deepEqual([builds, absences], [[], []]);
    equal(facts.repositories.kind, 'whole');
  });

  it('make all records unread where a tombstone is damaged', async () => {
    const { world } = estate.acr;
    world.putArtifact(`image-lifecycle/tombstones/${estate.projectId}`, {
      artifactType: 'application/x',
      tags: ['99.1.deleted.1700000000.1'],
      content: 'no tombstone',
    });
    const { facts, builds } = await readFacts(estate);
    ok(facts.records.kind === 'unread');
    match(facts.records.reason, /99\.1\.deleted\.1700000000\.1 is not an artifact of the type/);
    deepEqual(builds, []);
  });
});

describe('the facts of a registry whose rights are given by repository', () => {
  let estate: Estate;
  before(async () => {
    const actions = ['pull', 'metadata_read'] as const;
    const rights = ['team/*', 'image-lifecycle/*'].map(repository => ({ repository, actions }));
    estate = await startEstate({ abac: true, identities: [{ name: 'admin', password: 'admin-password', rights }] });
    for (const name of ['team/app', 'team/api', 'other']) estate.acr.world.putImage(name, { tags: ['v1'] });
  });
  after(() => estate.close());

  it('are unread where the repositories may not be listed, and say which role that needs', async () => {
    const { repositories } = unreadOf(await readFacts(estate, { globs: ['team/*'] }));
    match(
      repositories ?? '',
      /^localhost:\d+ does not let its repositories be listed: no permission for "registry:catalog:\*"\. Give the identity AcrPull, or with ABAC "Container Registry Repository Catalog Lister"; or name every repository without "\*"$/,
    );
  });

  it('say that the sign-in was refused, and ask for no right to list, where that is what failed', async () => {
    estate.acr.faults.add({ operation: 'oauth2.token' }, { kind: 'status', status: 401 });
    const reading = await readFacts(estate, { globs: ['team/*'] });
    estate.acr.faults.clear();
    const { repositories, records } = unreadOf(reading);
    match(
      records ?? '',
      /^localhost:\d+ refused to sign us in for repository:\S+ \(status 401\)\. Check the credentials$/,
    );
    match(
      repositories ?? '',
      /^localhost:\d+ refused to sign us in for registry:catalog:\* \(status 401\)\. Check the credentials$/,
    );
  });

  it('are whole where each repository is named, but for the one that may not be read', async () => {
    const reading = await readFacts(estate, { globs: ['team/app', 'team/api', 'other'] });
    const reasons = unreadOf(reading);
    deepEqual(Object.keys(reasons), ['other']);
    match(reasons['other'] ?? '', /Grant "repository:other:pull,metadata_read" to the identity of this connection$/);
    const { other: _, ...truth } = truthOf(estate.acr);
    const { other: __, ...known } = readingOf(reading);
    deepEqual(known, truth);
    match(
      reading.facts.othersUnread ?? '',
      /no permission for "registry:catalog:\*"\. Give the identity AcrPull, or with ABAC "Container Registry Repository Catalog Lister"$/,
    );
  });
});
