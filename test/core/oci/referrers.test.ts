import assert from 'node:assert/strict';
import { ociIndex, ociManifest } from '../../../core/oci/media-types.ts';
import { listReferrers, referrersTag, subjectOfTag } from '../../../core/oci/referrers.ts';
import { type Loopback, sendJson, startLoopback } from './loopback.ts';
import { type AcrWorld, type Client, createClient, fails, missing, openOn, startAcrWorld } from './world.ts';

type Digest = typeof missing;

describe('referrers on an Azure Container Registry', () => {
  let world: AcrWorld;
  before(async () => {
    world = await startAcrWorld({ behaviour: { referrersPage: 2 } });
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
    world.acr.behaviour.referrers = true;
  });
  after(() => world.close());
  const sign = (repository: string, count: number) => {
    const subject = world.acr.world.putImage(repository, { tags: ['v1'] });
    const digests = Array.from({ length: count }, (_, at) => {
      const options = { artifactType: `application/x-${at}`, content: `${at}`, subject };
      return world.acr.world.putArtifact(repository, options).digest;
    });
    return { digest: subject.digest as Digest, digests: digests.sort() };
  };

  it('are listed over all pages, of every type', async () => {
    const { digest, digests } = sign('team/five', 5);
    const found = await listReferrers(world.open('team/five'), digest);
    assert.deepEqual(found.map(each => each.digest).sort(), digests);
    assert.deepEqual(new Set(found.map(each => each.artifactType)).size, 5);
    assert.equal(world.acr.requests.count({ operation: 'referrers.list', status: 200 }), 3);
    assert.ok(world.acr.requests.all({ operation: 'referrers.list' }).every(({ query }) => !('artifactType' in query)));
  });

  it('are listed where the answer leaves their type out', async () => {
    const subject = world.acr.world.putImage('team/typeless');
    const config = {
      mediaType: 'application/vnd.cncf.notary.signature',
      digest: world.acr.world.putBlob('team/typeless', '{}'),
      size: 2,
    };
    const manifest = { schemaVersion: 2, mediaType: ociManifest, config, layers: [], subject };
    const digest = world.acr.world.putManifest('team/typeless', manifest);
    const [found] = await listReferrers(world.open('team/typeless'), subject.digest as Digest);
    assert.deepEqual([found?.digest, found?.artifactType], [digest, undefined]);
  });

  it('of nothing are none, and that is not asked twice', async () => {
    assert.deepEqual(await listReferrers(world.open('team/five'), missing), []);
    assert.equal(world.acr.requests.count({ operation: 'manifest.get' }), 0);
  });

  it('are those of the tag where there is no such API', async () => {
    world.acr.behaviour.referrers = false;
    const { digest, digests } = sign('team/old', 2);
    const children = digests.map(each => ({ mediaType: ociManifest, digest: each, size: 1 }));
    world.acr.world.putIndex('team/old', children, { tags: [referrersTag(digest)] });
    const found = await listReferrers(world.open('team/old'), digest);
    assert.deepEqual(found.map(each => each.digest).sort(), digests);
    assert.deepEqual(await listReferrers(world.open('team/old'), missing), []);
  });

  it('are none where that tag is on the image itself', async () => {
    world.acr.behaviour.referrers = false;
    const image = world.acr.world.putImage('team/self');
    const index = world.acr.world.putIndex('team/self', [image]);
    for (const { digest } of [image, index]) {
      world.acr.world.tag('team/self', referrersTag(digest as Digest), digest);
      assert.deepEqual(await listReferrers(world.open('team/self'), digest as Digest), []);
    }
  });

  it('are an error where that tag is on something else', async () => {
    world.acr.behaviour.referrers = false;
    const { digest } = sign('team/else', 0);
    world.acr.world.putImage('team/else', { tags: [referrersTag(digest)] });
    await fails(listReferrers(world.open('team/else'), digest), 'REGISTRY_UNEXPECTED');
  });

  for (const status of [400, 500]) {
    it(`are an error on ${status}, not those of the tag`, async () => {
      const { digest } = sign('team/broken', 1);
      world.acr.faults.add({ operation: 'referrers.list' }, { kind: 'status', status });
      const code = status === 400 ? 'REGISTRY_UNEXPECTED' : 'REGISTRY_UNAVAILABLE';
      await fails(listReferrers(world.open('team/broken'), digest), code);
      assert.equal(world.acr.requests.count({ operation: 'manifest.get' }), 0);
    });
  }

  it('are an error where a later page is missing or begins again', async () => {
    const { digest } = sign('team/pages', 5);
    world.acr.faults.add({ operation: 'referrers.list', path: /last=/ }, { kind: 'status', status: 404 });
    await fails(listReferrers(world.open('team/pages'), digest), 'REGISTRY_UNEXPECTED');
    world.acr.faults.clear();
    world.acr.faults.add({ operation: 'referrers.list' }, { kind: 'repeated' });
    assert.match(
      (await fails(listReferrers(world.open('team/pages'), digest), 'REGISTRY_UNEXPECTED')).message,
      /back to/,
    );
  });

  it('need the right to pull, and its lack is not an empty list', async () => {
    const { digest } = sign('team/denied', 1);
    await fails(listReferrers(world.open('team/denied', ['push']), digest), 'REGISTRY_DENIED');
  });
});

describe('referrers of a registry that answers as it likes', () => {
  let server: Loopback;
  let client: Client;
  let body: unknown;
  before(async () => {
    client = createClient();
    server = await startLoopback((_, response) => sendJson(response, body, { 'content-type': ociIndex }));
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const strange: unknown[] = [
    {},
    '',
    'null',
    [],
    '<html>',
    { errors: [] },
    { mediaType: ociManifest, layers: [] },
    { manifests: [{}] },
    { manifests: [{ mediaType: ociManifest, digest: '../x', size: 1 }] },
    { manifests: {} },
  ];
  for (const answer of strange) {
    it(`are an error where the answer is ${JSON.stringify(answer)}`, async () => {
      body = answer;
      await fails(listReferrers(openOn(server, client), missing), 'REGISTRY_UNEXPECTED');
    });
  }

  it('are an error where the list has no end', async () => {
    const endless = await startLoopback(({ index }, response) => {
      const link = `</v2/team/app/referrers/${missing}?page=${index}>; rel="next"`;
      sendJson(response, { manifests: [] }, { 'content-type': ociIndex, link });
    });
    try {
      await fails(listReferrers(openOn(endless, client), missing), 'TOO_LARGE');
      assert.ok(endless.requests.length <= 1000, String(endless.requests.length));
    } finally {
      await endless.close();
    }
  });

  it('are none where the list is empty', async () => {
    body = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };
    assert.deepEqual(await listReferrers(openOn(server, client), missing), []);
  });
});

describe('the tag of a subject', () => {
  const hex = 'ab'.repeat(32);
  it('is read in the form of the specification and of cosign, and in no other', () => {
    assert.equal(referrersTag(`sha256:${hex}`), `sha256-${hex}`);
    for (const end of ['', '.sig', '.att', '.sbom'])
      assert.equal(subjectOfTag(`sha256-${hex}${end}`, missing), `sha256:${hex}`);
    for (const tag of [
      `sha256-${hex.slice(1)}`,
      `sha256-${hex}a`,
      `sha256-${hex}.`,
      `sha256-${hex}-x`,
      `x-sha256-${hex}`,
      `sha256-${hex.toUpperCase()}`,
      `sha512-${hex}`,
      '',
    ])
      assert.equal(subjectOfTag(tag, missing), undefined, tag);
  });

  it('is none where the tag names what it is on', () => {
    for (const end of ['', '.sig', '.imgpkg'])
      assert.equal(subjectOfTag(`sha256-${hex}${end}`, `sha256:${hex}`), undefined, end);
  });
});
