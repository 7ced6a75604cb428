/** Records of Helm that Helm would not write, or not like this: what is no release, and what cannot be read. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import type { CustomResource } from '../../../core/kubernetes/custom-resources.ts';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { type Cluster, openCluster } from './cluster.ts';

const name = 'sh.helm.release.v1.web.v1';
const labels = { owner: 'helm' };
const manifest = 'apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, image: "ci.example/web:1" }] }\n';
const release = { name: 'web', namespace: 'shop', version: 1, info: { status: 'deployed' }, manifest };
const encode = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');
const gzipped = (record: unknown): string => encode(gzipSync(JSON.stringify(record)));

describe('records of Helm', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
  });
  afterEach(() => cluster.close());

  const addSecret = (text: string, more: object = {}): void =>
    cluster.emulator.add('secrets', {
      metadata: { name, namespace: 'shop', labels },
      type: 'helm.sh/release.v1',
      data: { release: encode(text) },
      ...more,
    });
  const read = async (customResources: readonly CustomResource[] = []) => {
    const { releases } = await readCluster(cluster.api, { customResources });
    return releases;
  };
  const imagesIn = async (text: string, customResources: readonly CustomResource[] = []) => {
    addSecret(gzipped({ ...release, manifest: text }));
    const releases = await read(customResources);
    assert.ok(releases.kind === 'whole', JSON.stringify(releases));
    return releases.items[0]?.revisions[0]?.images;
  };

  it('that are not compressed are read, as the first Helm 3 wrote them', async () => {
    addSecret(encode(JSON.stringify(release)));
    const revisions = [{ revision: 1, status: 'deployed', images: ['ci.example/web:1'] }];
    assert.deepEqual(await read(), {
      kind: 'whole',
      items: [{ namespace: 'shop', name: 'web', oldestInUse: 1, revisions }],
    });
  });

  it('are where they are stored, wherever they were installed', async () => {
    addSecret(gzipped({ ...release, namespace: 'elsewhere' }));
    const releases = await read();
    assert.equal(releases.kind === 'whole' && releases.items[0]?.namespace, 'shop');
  });

  const unread: readonly (readonly [title: string, more: object, reason: RegExp])[] = [
    ['of no data', { data: undefined }, /shop\/sh\.helm\.release\.v1\.web\.v1 cannot be read: it holds nothing/],
    ['of other data', { data: { other: 'eA==' } }, /it holds nothing/],
    ['that are no base64', { data: { release: encode('{') } }, /it is no base64/],
    ['that are no JSON', { data: { release: encode(encode('{')) } }, /it is not as expected/],
    [
      'without a manifest that is text',
      { data: { release: encode(gzipped({ ...release, manifest: 7 })) } },
      /manifest/,
    ],
    ['without a status', { data: { release: encode(gzipped({ ...release, info: {} })) } }, /info\.status/],
    ['without a number', { data: { release: encode(gzipped({ ...release, version: 0 })) } }, /version/],
    [
      'that are cut off',
      { data: { release: encode(gzipped(release).slice(0, 60)) } },
      /cannot be read: (Its|unexpected|invalid)/i,
    ],
    [
      'whose manifest is no YAML',
      { data: { release: encode(gzipped({ ...release, manifest: `${manifest}---\nimage: "x\n` })) } },
      /its manifest cannot be read: document 1, line 3: a quote, .* is missing\. Does/,
    ],
    [
      'that grow beyond all bounds',
      { data: { release: encode(encode(gzipSync(Buffer.alloc(80 * 1024 * 1024)))) } },
      /it has more than 67108864 bytes/,
    ],
    ['of a Helm to come', { type: 'helm.sh/release.v2' }, /has the type "helm\.sh\/release\.v2", which is of no Helm/],
    ['of another type', { type: 'Opaque' }, /has the type "Opaque"/],
  ];
  for (const [title, more, reason] of unread) {
    it(`are unread ${title}`, async () => {
      addSecret(gzipped(release), more);
      const releases = await read();
      assert.match(releases.kind === 'unread' ? releases.reason : '', reason);
      assert.doesNotMatch(JSON.stringify(releases), /ci\.example/);
    });
  }

  it('are no others of those that say of themselves that they are Helm’s', async () => {
    const metadata = { name: 'repositories', namespace: 'shop', labels };
    cluster.emulator.add('secrets', { metadata, type: 'Opaque', data: { release: 'eA==' } });
    cluster.emulator.add('configmaps', { metadata, data: { 'repositories.yaml': 'x' } });
    assert.deepEqual(await read(), { kind: 'whole', items: [] });
  });

  it('are unread where a ConfigMap has one that is none', async () => {
    cluster.emulator.add('configmaps', { metadata: { name: 'x', namespace: 'shop', labels }, data: { release: '{' } });
    const releases = await read();
    assert.match(releases.kind === 'unread' ? releases.reason : '', /^the configmaps .*shop\/x cannot be read/);
  });

  it('name the images of everything that holds the specification of a pod, as they stand there', async () => {
    const text = [
      '# Source: x\napiVersion: v1\nkind: List\nitems: [{ spec: { initContainers: [{ image: a:1 }] } }]',
      '\nspec: { template: { spec: { ephemeralContainers: [{ image: "${REGISTRY}/b:1" }], volumes: [{ image: { reference: "c:1" } }] } } }',
      '\nkind: Workflow\nspec: { templates: [{ container: { image: d:1 } }, { script: { image: "e@sha256:' +
        `${'0'.repeat(64)}" } }] }`,
      '\nspec: &s { containers: [{ image: f:1 }] }\nother: *s',
      '\nspec: { containers: [{ "im\\u0061ge": g:1 }] }',
    ].join('\n---');
    const images = [`$\{REGISTRY}/b:1`, 'a:1', 'c:1', 'd:1', `e@sha256:${'0'.repeat(64)}`, 'f:1', 'g:1'];
    assert.deepEqual(await imagesIn(text), images);
  });

  it('name nothing that only looks like an image', async () => {
    const text =
      'kind: ConfigMap\ndata: { image: "https://x.example/logo.png", text: "image: z:1", reference: y:1 }\nimage: { repository: x, tag: 1 }\n';
    assert.deepEqual(await imagesIn(text), []);
  });

  it('name what the configuration says of a group that Kubernetes does not know', async () => {
    const { emulator } = cluster;
    emulator.world.addKind({
      group: 'example.com',
      version: 'v1',
      kind: 'Rollout',
      resource: 'rollouts',
      namespaced: true,
    });
    const resource = { group: 'example.com', version: 'v1', resource: 'rollouts', images: ['.spec.runtime'] };
    const text =
      'apiVersion: example.com/v1\nkind: Rollout\nspec: { runtime: a:1 }\n---\napiVersion: other.example/v1\nspec: { runtime: b:1 }\n';
    assert.deepEqual(await imagesIn(text, [resource]), ['a:1']);
  });
});
