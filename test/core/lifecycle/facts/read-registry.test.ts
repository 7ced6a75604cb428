/** The facts of a registry, held against the emulator's own state, and against what a foreign client reads. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createLinksCache } from '../../../../core/lifecycle/facts/manifest-links.ts';
import { readSubjects } from '../../../../core/lifecycle/facts/read-subjects.ts';
import type { ImageFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import type { Manifest } from '../../../../core/oci/manifest.ts';
import { skopeo } from '../../../support/skopeo.ts';
import { day, type Estate, hour, startEstate } from '../estate.ts';
import { imagesOf, organization, project, readFacts, readingOf, truthOf } from './registry-facts.ts';

const oldArtifact = 'application/vnd.oci.artifact.manifest.v1+json';
const docker = 'application/vnd.docker.distribution.manifest.v2+json';

describe('the facts of a registry', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  /** Indexes in indexes, signatures, Docker's types, locks at every level, many tags, an old push: in three repositories. */
  const fill = (): void => {
    const { world } = estate.acr;
    const at = Date.parse('2026-01-02T03:04:05Z');
    const images = [world.putImage('team/app', { at }), world.putImage('team/app', { architecture: 'arm64' })];
    const attestation = world.putArtifact('team/app', {
      artifactType: 'application/vnd.in-toto+json',
      subject: images[0]!,
      content: 'attestation',
    });
    const index = world.putIndex('team/app', [...images, attestation], { tags: ['v1', 'latest'], at });
    world.putIndex('team/app', [index], { tags: ['all'] });
    world.putArtifact('team/app', { artifactType: 'application/vnd.sig', subject: index, content: 'signature' });
    world.putManifest(
      'team/app',
      { schemaVersion: 2, mediaType: docker, layers: [], annotations: { of: 'docker' } },
      { tags: ['docker'] },
    );
    const old = {
      schemaVersion: 2,
      mediaType: oldArtifact,
      artifactType: 'application/vnd.sig',
      blobs: [],
      subject: index,
    };
    world.putManifest('team/app', old, { mediaType: oldArtifact });
    world.setAttributes('team/app', images[1]!.digest, { writeEnabled: false });
    world.setAttributes('team/app', 'v1', { deleteEnabled: false });
    const many = world.putImage('team/many');
    world.seedTags(
      'team/many',
      many.digest,
      Array.from({ length: 1001 }, (_, each) => `t${each}`),
    );
    world.putImage('frozen', { tags: ['x'] });
    world.setAttributes('frozen', undefined, { writeEnabled: false });
  };

  /** When the one tombstone of a build was written, as its tag says, in milliseconds. */
  const timeOf = (id: number): number => {
    const tags = Object.keys(estate.acr.world.tags(`image-lifecycle/tombstones/${estate.projectId}`));
    const times = tags.filter(tag => tag.startsWith(`${id}.`)).map(tag => Number(tag.split('.')[3]) * 1000);
    equal(new Set(times).size, 1);
    return times[0]!;
  };

  it('are those of its state: tags with their dates, locks at every level, children, subjects', async () => {
    fill();
    const reading = await readFacts(estate);
    deepEqual(readingOf(reading), truthOf(estate.acr));
    equal(Object.keys(truthOf(estate.acr)).length, 3);
    deepEqual(reading.facts.records, { kind: 'whole', items: [] });
  });

  it('give all tags of a digest where the list of manifests names only some of them', async () => {
    fill();
    estate.acr.behaviour.tagsPerManifest = 10;
    deepEqual(readingOf(await readFacts(estate)), truthOf(estate.acr));
  });

  it('are read over pages of a thousand, of repositories as well', async () => {
    const { world } = estate.acr;
    for (let at = 0; at < 1001; at += 1)
      world.putManifest(`r/${at}`, { schemaVersion: 2, mediaType: docker, layers: [] });
    world.seedManifests('many', { manifests: 2100, indexes: 100, tag: at => `i${at}` });
    const reading = await readFacts(estate, { mayGo: () => false });
    equal(Object.keys(imagesOf(reading)).length, 1002);
    equal(Object.keys(imagesOf(reading)['many'] as object).length, 2100);
    // Two pages of all, and one each of what begins at the records and at the tombstones.
    equal(estate.acr.requests.count({ operation: 'oci.catalog.list', status: 200 }), 4);
  });

  it('agree with what skopeo reads about children and subjects', async () => {
    fill();
    const read = Object.values(imagesOf(await readFacts(estate))['team/app'] as Record<string, ImageFact>);
    equal(read.length, 8);
    for (const { digest, children, subject } of read) {
      const flags = ['--raw', '--tls-verify=false', '--creds', 'admin:admin-password'];
      const raw = await skopeo('inspect', ...flags, `docker://${estate.acr.host}/team/app@${digest}`);
      const said = JSON.parse(raw) as { manifests?: { digest: string }[]; subject?: { digest: string } };
      deepEqual(
        children,
        (said.manifests ?? []).map(child => child.digest),
      );
      equal(subject, said.subject?.digest ?? 'none');
    }
  });

  it('have every record of the projects, and what it says of its build', async () => {
    const { world } = estate.acr;
    const one = world.putImage('app', { tags: ['v1'] });
    const two = world.putImage('team/api');
    const id = await estate.build(
      [
        { repository: 'app', reference: one.digest },
        { repository: 'team/api', reference: two.digest },
      ],
      { tags: ['1.2.3'], onBuildDeleted: 'keep', number: '20261125.1' },
    );
    const { facts, builds, foreign } = await readFacts(estate);
    ok(facts.records.kind === 'whole');
    equal(facts.records.items, builds);
    const { createdAt, images, ...said } = builds[0]!;
    deepEqual(said, {
      build: { organization, project, id },
      definition: estate.definitionId,
      promoted: false,
      onBuildDeleted: 'keep',
      number: '20261125.1',
      repository: 'shop',
      branch: 'refs/heads/main',
      commit: estate.ado.world.builds.get(id)!.sourceVersion,
    });
    deepEqual(
      images.map(({ repository, digest, tags }) => [repository, digest, [...tags].sort()]),
      [
        ['app', one.digest, ['1.2.3', String(id)].sort()],
        ['team/api', two.digest, ['1.2.3', String(id)].sort()],
      ],
    );
    ok(Math.abs(createdAt - estate.acr.clock.now()) < hour);
    deepEqual([builds.length, foreign], [1, []]);
    deepEqual(readingOf(await readFacts(estate)), truthOf(estate.acr));
  });

  it('have a record that is written while the repositories are read, and know where each is', async () => {
    const { acr } = estate;
    const { digest } = acr.world.putImage('app');
    const first = await estate.build([{ repository: 'app', reference: digest }]);
    let second = 0;
    acr.faults.intercept = async ({ operation }, phase) => {
      if (operation !== 'manifests.list' || phase !== 'before') return 'proceed' as const;
      acr.faults.intercept = undefined;
      second = await estate.build([{ repository: 'app', reference: digest }]);
      return 'proceed' as const;
    };
    const { facts, builds } = await readFacts(estate);
    deepEqual(
      builds.map(each => each.build.id),
      [first, second],
    );
    const tags = Object.keys(acr.world.tags(`image-lifecycle/builds/${estate.projectId}`));
    deepEqual([...(facts.recordPlaces ?? [])].sort(), tags.map(tag => `${estate.projectId}/${tag}`).sort());
  });

  it('tell which images were released, on whose account and when, and that their builds were seen to be gone', async () => {
    const { world } = estate.acr;
    const both = world.putImage('app');
    const other = world.putImage('app');
    const [first, second, third] = [
      await estate.build([{ repository: 'app', reference: both.digest }]),
      await estate.build([{ repository: 'app', reference: both.digest }]),
      await estate.build([{ repository: 'app', reference: other.digest }]),
    ];
    estate.ado.world.deleteBuild(first);
    await estate.reconcile();
    estate.advance(2 * hour);
    estate.ado.world.deleteBuild(second);
    await estate.reconcile();
    const [firstAt, secondAt] = [timeOf(first), timeOf(second)];
    ok(secondAt - firstAt >= 2 * hour);
    const { absences, ...reading } = await readFacts(estate);
    const images = imagesOf({ ...reading, absences })['app'] as Record<string, ImageFact>;
    const { released = [], releasedAt } = images[both.digest]!;
    deepEqual(new Set(released.map(build => build.id)), new Set([first, second]));
    deepEqual(
      [...new Set(released.map(build => `${build.organization}/${build.project}`))],
      [`${organization}/${project}`],
    );
    equal(releasedAt, secondAt);
    deepEqual([images[other.digest]?.released, images[other.digest]?.releasedAt], [undefined, undefined]);
    deepEqual(
      new Map(absences.map(({ build, seen, since }) => [build.id, [seen, since]])),
      new Map([
        [first, ['released', firstAt]],
        [second, ['released', secondAt]],
      ]),
    );
    ok(!absences.some(({ build }) => build.id === third));
  });

  it('call no release finished that was broken off', async () => {
    const { acr } = estate;
    const image = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    const fault = acr.faults.add({ operation: 'tag.delete' }, { kind: 'status', status: 400 });
    await estate.reconcile();
    ok(fault.hits() > 0);
    const images = imagesOf(await readFacts(estate))['app'] as Record<string, ImageFact>;
    const { released, releasedAt } = images[image.digest]!;
    deepEqual([released?.map(build => build.id), releasedAt], [[id], undefined]);
  });

  it('tell since when a build is absent', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('app');
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    ado.world.addBuild({ definitionId: estate.definitionId });
    ado.world.builds.delete(id);
    await estate.reconcile();
    const since = timeOf(id);
    estate.advance(day);
    const { absences } = await readFacts(estate);
    deepEqual(absences, [
      { build: { organization, project, id }, definition: estate.definitionId, seen: 'build', since },
    ]);
  });

  it('leave out what the globs do not name, and never ask for it', async () => {
    fill();
    const reading = await readFacts(estate, { globs: ['team/*'] });
    deepEqual(Object.keys(imagesOf(reading)), ['team/app', 'team/many']);
    equal(estate.acr.requests.all().filter(request => request.repository === 'frozen').length, 0);
  });

  it('need no list of repositories where each is named, but ask for it, to see whose records there are', async () => {
    fill();
    const reading = await readFacts(estate, { globs: ['team/app', 'frozen', 'not/there'] });
    const { 'team/many': _, ...truth } = truthOf(estate.acr);
    deepEqual(readingOf(reading), { ...truth, 'not/there': {} });
    // All of it, and what begins at the records and at the tombstones.
    equal(estate.acr.requests.count({ operation: 'oci.catalog.list' }), 3);
    equal(reading.facts.othersUnread, undefined);
  });

  it('are those of an emptied repository that stayed in the list: no image', async () => {
    estate.acr.behaviour.orphanCatalogEntry = true;
    const { digest } = estate.acr.world.putImage('emptied');
    estate.acr.world.deleteManifest('emptied', digest);
    deepEqual(imagesOf(await readFacts(estate)), { emptied: {} });
  });

  it('read each index once, whatever repository or registry it is in, and no image where nothing may go', async () => {
    const { world, requests } = estate.acr;
    const [app, copy] = ['app', 'copy'].map(name => {
      const image = { ...world.putImage(name, { layers: ['same'] }) };
      world.putIndex(name, [image], { tags: ['v1'] });
      return image;
    });
    equal(app?.digest, copy?.digest);
    const cache = createLinksCache();
    const first = await readFacts(estate, { mayGo: () => false, cache });
    equal(requests.count({ operation: 'manifest.get', status: 200 }), 1);
    equal((imagesOf(first)['app'] as Record<string, ImageFact>)[app!.digest]?.subject, undefined);
    await readFacts(estate, { mayGo: () => false, cache });
    equal(requests.count({ operation: 'manifest.get', status: 200 }), 1);
    // Four for each: its properties before and after, its manifests, its tags. And twice its own records, which are none.
    const asked = requests.all().filter(({ repository }) => repository === 'app' || repository === 'copy');
    equal(asked.filter(request => request.operation !== 'manifest.get').length, 2 * 2 * 4);

    const facts = await readSubjects({ registry: estate.connect() }, first.facts, {
      cache,
      mayGo: ({ registry, repository, image }) =>
        registry === 'ci' && repository === 'app' && image.digest === app?.digest,
    });
    const images = requests.all().filter(request => request.path.endsWith(app!.digest) && request.status === 200);
    deepEqual(
      images.map(request => [request.operation, request.repository]),
      [['manifest.get', 'app']],
    );
    equal(requests.count({ operation: 'manifest.get', status: 200 }), 2);
    const read = imagesOf({ ...first, facts });
    equal((read['app'] as Record<string, ImageFact>)[app!.digest]?.subject, 'none');
    equal((read['copy'] as Record<string, ImageFact>)[app!.digest]?.subject, undefined);
  });

  it('read a manifest of Docker for nothing, but tell of every manifest where somebody asks', async () => {
    fill();
    await readFacts(estate);
    const references = (): string[] =>
      estate.acr.requests
        .all()
        .filter(request => request.operation === 'manifest.get')
        .map(request => request.path.split('/').at(-1) ?? '');
    const dockers = estate.acr.world
      .manifests('team/app')
      .filter(digest => estate.acr.world.manifest('team/app', digest)?.mediaType.includes('docker'));
    equal(dockers.length, 1);
    ok(!references().includes(dockers[0]!));
    const told: Manifest[] = [];
    const reading = await readFacts(estate, { onManifest: manifest => told.push(manifest) });
    const all = Object.values(truthOf(estate.acr)).flatMap(images => Object.keys(images));
    deepEqual(told.map(manifest => manifest.digest).sort(), [...new Set(all)].sort());
    ok(told.every(manifest => manifest.bytes.byteLength > 0));
    deepEqual(readingOf(reading), truthOf(estate.acr));
  });

  it('call a tag content only where the chart itself says so', async () => {
    const { world } = estate.acr;
    const chart = (version: string, tags: readonly string[]): string =>
      world.putManifest(
        'charts/shop',
        {
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: {
            mediaType: 'application/vnd.cncf.helm.config.v1+json',
            digest: world.putBlob('charts/shop', '{}'),
            size: 2,
          },
          layers: [],
          annotations: { 'org.opencontainers.image.version': version },
        },
        { tags },
      );
    const one = chart('1.4.0+c.3f9a1c22d0', ['1.4.0_c.3f9a1c22d0', 'v1']);
    const two = chart('1.5.0', ['1.5.0_c.3f9a1c22d0']);
    const images = imagesOf(await readFacts(estate, { mayGo: () => false }))['charts/shop'] as Record<
      string,
      ImageFact
    >;
    const contents = (digest: string): unknown =>
      images[digest]?.tags.map(({ name, content }) => [name, content]).sort();
    deepEqual(contents(one), [
      ['1.4.0_c.3f9a1c22d0', true],
      ['v1', false],
    ]);
    deepEqual(contents(two), [['1.5.0_c.3f9a1c22d0', false]]);
  });

  it('are told of as they are read', async () => {
    fill();
    const said: string[] = [];
    await readFacts(estate, { onProgress: (what, share) => said.push(`${what} ${share.toFixed(2)}`) });
    equal(said[0], 'reading the build records of ci 0.00');
    ok(said.includes('read 3 of 3 repositories of ci 1.00'), said.join('\n'));
    match(said.at(-1)!, /^reading what the images of ci\/\S+ refer to 1\.00$/);
  });

  it('end with the signal, in the middle of a pause', async () => {
    fill();
    const stop = new AbortController();
    estate.acr.faults.add({ operation: 'manifests.list' }, { kind: 'status', status: 429, retryAfter: 200_000 });
    estate.acr.faults.intercept = request => {
      if (request.operation === 'manifests.list') setTimeout(() => stop.abort(new Error('the time is over')), 5);
      return 'proceed';
    };
    const thrown: unknown = await readFacts(estate, { signal: stop.signal }).catch((error: unknown) => error);
    match(String(thrown), /the time is over/);
  });
});
