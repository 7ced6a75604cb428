import { deepEqual, equal } from 'node:assert/strict';
import { listFolder } from '../../../core/oci/catalog.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type Loopback, sendJson, startLoopback } from './loopback.ts';
import { type AcrWorld, anonymous, type Client, createClient, fails, openOn, startAcrWorld } from './world.ts';

const folder = 'image-lifecycle/usage';
const inside = [`${folder}/aks`, `${folder}/aks-1`, `${folder}/aks/b`];
const outside = ['app', 'image-lifecycle-x/y', 'image-lifecycle/builds/1', `${folder}-y`, 'shop/web', 'zebra'];

describe('the repositories under a folder', () => {
  it('are listed from there on by Azure Container Registry, which stops to be asked behind them', async () => {
    const world: AcrWorld = await startAcrWorld();
    try {
      for (const name of [...outside, ...inside]) world.acr.world.putImage(name);
      for (let at = 0; at < 1001; at += 1) world.acr.world.putImage(`many/${at}`);
      deepEqual([...(await listFolder(world.connect(), folder))].sort(), inside.toSorted());
      equal(world.acr.requests.all().filter(each => each.path.includes('_catalog') && each.status === 200).length, 1);
    } finally {
      await world.close();
    }
  });

  it('are listed by docker-registry, which orders them part by part', async () => {
    const docker: DockerRegistry = await startDockerRegistry();
    const client = createClient();
    try {
      for (const name of [...outside, ...inside]) await push(docker, name);
      const address = `http://${docker.host}`;
      const registry = openRegistry({ address, credentials: anonymous, http: client.http });
      deepEqual([...(await listFolder(registry, folder))].sort(), inside.toSorted());
    } finally {
      await client.http.close();
      await docker.stop();
    }
  });
});

describe('the repositories under a folder, as a registry lists them that answers as it likes', () => {
  let server: Loopback;
  let client: Client;
  let pages: readonly (readonly string[])[] = [];
  beforeEach(async () => {
    client = createClient();
    server = await startLoopback(({ index }, response) => {
      const link = pages[index + 1] && { link: `</v2/_catalog?last=${index}>; rel="next"` };
      sendJson(response, { repositories: pages[index] ?? [] }, link ?? {});
    });
  });
  afterEach(async () => {
    await client.http.close();
    await server.close();
  });
  const list = async (...answers: readonly (readonly string[])[]): Promise<string[]> => {
    pages = answers;
    server.requests.length = 0;
    return [...(await listFolder(openOn(server, client).registry, folder))];
  };

  it('are read to the page that goes past them', async () => {
    deepEqual(await list([`${folder}/a`], [`${folder}/b`, 'shop/web'], [`${folder}/never`]), [
      `${folder}/a`,
      `${folder}/b`,
    ]);
    equal(server.requests.length, 2);
  });

  it('are none where nothing is behind it', async () => deepEqual(await list([]), []));

  it('are not taken to end at a name that stands before them in one order and behind them in the other', async () => {
    deepEqual(await list([`${folder}-y`], [`${folder}/a`, 'shop/web']), [`${folder}/a`]);
    await fails(list(['image-lifecycle-x/y'], ['image-lifecycle/builds/1', `${folder}/a`]), 'REGISTRY_UNEXPECTED');
  });

  const faults: readonly (readonly [what: string, pages: readonly (readonly string[])[]])[] = [
    ['begins at the beginning', [['app', `${folder}/a`]]],
    ['begins with the folder itself', [[folder, `${folder}/a`]]],
    ['is in no order', [['zebra', 'shop/web']]],
    ['comes back to the folder', [[`${folder}/a`, 'shop/web', `${folder}/b`]]],
    ['changes its order', [[`${folder}/a-b`, `${folder}/a/b`, `${folder}/c/d`, `${folder}/c-d`]]],
  ];
  for (const [what, answers] of faults) {
    it(`are unknown where the list ${what}`, async () => {
      await fails(list(...answers), 'REGISTRY_UNEXPECTED');
    });
  }
});

/** Pushes an image of a configuration alone. */
async function push({ host }: DockerRegistry, name: string): Promise<void> {
  const digest = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
  const begun = await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: 'POST' });
  const upload = new URL(begun.headers.get('location') ?? '', `http://${host}`);
  upload.searchParams.set('digest', digest);
  await fetch(upload, { method: 'PUT', body: '{}', headers: { 'content-type': 'application/octet-stream' } });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
  const put = await fetch(`http://${host}/v2/${name}/manifests/1`, {
    method: 'PUT',
    body: JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }),
    headers: { 'content-type': mediaType },
  });
  equal(put.status, 201);
}
