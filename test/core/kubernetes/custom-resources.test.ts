/** Images where the configuration says that they stand: paths, and the resources that they are followed in. */
import assert from 'node:assert/strict';
import { followJsonPath, parseJsonPath } from '../../../core/kubernetes/json-path.ts';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import { type Cluster, coredns, openCluster } from './cluster.ts';

const rollout = {
  metadata: { name: 'canary', namespace: 'shop', annotations: { 'example.com/image': 'g:1' } },
  spec: {
    image: 'a:1',
    steps: [{ image: 'b:1' }, { pause: 60 }, { image: 'c:1' }],
    pods: { one: { containers: [{ image: 'd:1' }] }, two: { containers: [{ image: 'e:1' }, { image: 'f:1' }] } },
  },
};

describe('paths of images', () => {
  const followed: readonly (readonly [path: string, values: readonly string[]])[] = [
    ['.spec.image', ['a:1']],
    ['spec.image', ['a:1']],
    ['{.spec.image}', ['a:1']],
    ['$.spec.image', ['a:1']],
    ['{ $["spec"]["image"] }', ['a:1']],
    [".spec['image']", ['a:1']],
    ['.spec.steps[*].image', ['b:1', 'c:1']],
    ['.spec.steps.*.image', ['b:1', 'c:1']],
    ['.spec.steps[0].image', ['b:1']],
    ['.spec.steps[-1].image', ['c:1']],
    ['.spec.steps[7].image', []],
    ['.spec.pods.*.containers[*].image', ['d:1', 'e:1', 'f:1']],
    ['.spec.pods..image', ['d:1', 'e:1', 'f:1']],
    ['..containers[0].image', ['d:1', 'e:1']],
    ['$..image', ['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1']],
    ['.metadata.annotations.example\\.com/image', ['g:1']],
    ['.metadata.annotations["example.com/image"]', ['g:1']],
    ['.spec.constructor', []],
    ['.spec.steps.length', []],
  ];
  for (const [path, values] of followed) {
    it(`leads from ${path} to ${values.join(' ') || 'nothing'}`, () => {
      assert.deepEqual(followJsonPath(parseJsonPath(path), rollout).map(String).sort(), values);
    });
  }

  const refused = [
    '',
    '{}',
    '$',
    '.',
    '..',
    '.spec..',
    '.spec.[image]',
    '.spec[?(@.image)]',
    '.spec.steps[0:2].image',
    '.spec.steps[0,1].image',
    '.spec image',
    '.spec.image}{.spec.other',
    '.spec["image]',
    '$.spec[(@.length-1)]',
    `.${'a'.repeat(500)}`,
  ];
  for (const path of refused) {
    it(`is refused: ${path.slice(0, 40)}`, () => {
      assert.throws(() => parseJsonPath(path), /is no path that can be followed\. Write names, numbers and "\*"/);
    });
  }
});

describe('custom resources', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await openCluster();
    const [group, version] = ['example.com', 'v1'];
    cluster.emulator.world.addKind({ group, version, kind: 'Rollout', resource: 'rollouts', namespaced: true });
    cluster.emulator.add('pods', coredns);
  });
  afterEach(() => cluster.close());

  const read = async (images: readonly string[], resource = 'rollouts') => {
    const { uses } = await readCluster(cluster.api, {
      customResources: [{ group: 'example.com', version: 'v1', resource, images }],
    });
    if (uses.kind === 'unread') return uses.reason;
    return uses.items.map(({ image, where }) => `${where}: ${image}`).filter(each => !each.startsWith('pod '));
  };

  it('tell the texts at their paths, each once', async () => {
    cluster.emulator.add('rollouts', rollout);
    assert.deepEqual(
      await read(['.spec.image', '.spec.steps[*].image', '.spec.steps[0].image']),
      ['a:1', 'b:1', 'c:1'].map(each => `rollouts.example.com shop/canary: ${each}`),
    );
  });

  it('may be there and not one of them', async () => {
    assert.deepEqual(await read(['.spec.image']), []);
  });

  it('are unread where the cluster does not have them: a name that is misspelt is not "none"', async () => {
    assert.match(String(await read(['.spec.image'], 'rollout')), /not there \(404\): does the cluster serve "rollout"/);
  });

  it('are unread where no path leads anywhere in any of them, and read where one does', async () => {
    cluster.emulator.add('rollouts', rollout);
    assert.match(
      String(await read(['.spec.imgae', '.spec.other'])),
      /^rollouts\.example\.com of https.*none of the 1 that are there has anything at \.spec\.imgae or \.spec\.other: correct/,
    );
    assert.equal((await read(['.spec.imgae', '.spec.image'])).length, 1);
  });

  it('make no cluster: where one is shown and not a single workload, nothing of it was read', async () => {
    cluster.emulator.add('rollouts', rollout);
    cluster.emulator.world.remove({ kind: cluster.emulator.world.kindOf('pods'), namespace: 'shop', name: 'coredns' });
    assert.match(String(await read(['.spec.image'])), /^it says that it runs nothing at all, which no cluster does/);
  });

  it('are unread where something other than a text is there', async () => {
    cluster.emulator.add('rollouts', rollout);
    assert.match(String(await read(['.spec.image', '.spec.steps'])), /\.spec\.steps of .* shop\/canary is no text$/);
  });

  it('are unread, and Helm with them, where a path cannot be followed or none is given', async () => {
    assert.match(String(await read(['.spec[?(@.a)]'])), /^rollouts\.example\.com: ".*is no path that can be followed/);
    assert.match(String(await read([])), /^rollouts\.example\.com: no path says where its images stand/);
    assert.equal(cluster.emulator.requests.entries.length, 0);
  });
});
