/** docs/kubernetes/read-cluster.yaml: each of its rights is needed, and no other is. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { readCluster } from '../../../core/kubernetes/read-cluster.ts';
import type { Rule } from '../../emulators/kubernetes/access.ts';
import { bearer, type Cluster, coredns, openCluster } from './cluster.ts';

const page = join(import.meta.dirname, '../../../docs/kubernetes/read-cluster.yaml');

/** One rule for each resource. */
function splitRules(rules: readonly Rule[]): Rule[] {
  return rules.flatMap(rule => rule.resources.map(resource => ({ ...rule, resources: [resource] })));
}

describe('docs/kubernetes/read-cluster.yaml', () => {
  let cluster: Cluster;
  let rulesOf: (name: string) => Rule[];
  before(async () => {
    cluster = await openCluster();
    cluster.emulator.add('pods', coredns);
    const objects = parseAllDocuments(await readFile(page, 'utf8')).map(
      each => each.toJS() as { kind: string; metadata: { name: string }; rules?: readonly Rule[] },
    );
    rulesOf = name =>
      splitRules(objects.find(each => each.kind === 'ClusterRole' && each.metadata.name === name)?.rules ?? []);
  });
  after(() => cluster.close());

  const readWith = (rules: readonly Rule[]) => {
    cluster.emulator.access.grant('service-account', 'read-cluster', rules);
    return readCluster(cluster.connect({ signIn: bearer('service-account') }));
  };

  it('gives every right that reading takes', async () => {
    const own = rulesOf('image-lifecycle-read-cluster');
    assert.deepEqual([...new Set(own.flatMap(rule => rule.verbs))], ['list']);
    const { uses, releases } = await readWith([...own, ...rulesOf('image-lifecycle-read-helm')]);
    assert.deepEqual([uses.kind, releases], ['whole', { kind: 'whole', items: [] }]);
  });

  it('gives none that reading does not take: without it the reason names it, as a rule to add', async () => {
    const [own, helms] = [rulesOf('image-lifecycle-read-cluster'), rulesOf('image-lifecycle-read-helm')];
    assert.deepEqual([own.length, helms.length], [10, 2]);
    for (const missing of [...own, ...helms]) {
      const read = await readWith([...own, ...helms].filter(rule => rule !== missing));
      const { apiGroups, resources } = missing;
      const {
        [helms.includes(missing) ? 'releases' : 'uses']: half,
        [own.includes(missing) ? 'releases' : 'uses']: other,
      } = read;
      assert.equal(other.kind, 'whole');
      assert.ok(half.kind === 'unread', `${resources.join()} is not needed`);
      assert.ok(
        half.reason.includes(
          `{apiGroups: ["${apiGroups.join()}"], resources: ["${resources.join()}"], verbs: ["list"]}`,
        ),
      );
    }
  });
});
