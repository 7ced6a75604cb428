/** What runs, and what a Helm release could go back to. Every build is gone. */
import type { Scenario } from '../policy-world.ts';

const policy = 'keep: { deployed: true, helmRevisions: 0 }';
const builds = { 1: 'main 9d', 2: 'main 9d' };
const two = { 'ci/web a': { builds: [1] }, 'ci/web b': { builds: [2] } };
const goes = (id: number) => `its build ${id} of shop is deleted`;

const history = {
  builds: Object.fromEntries([1, 2, 3, 4, 5].map(id => [id, 'main 9d'])),
  images: Object.fromEntries('abcde'.split('').map((name, at) => [`ci/web ${name}`, { builds: [at + 1] }])),
  runs: { prod: [] },
};
const revisions = { 1: 'web@a', 2: 'web@b', 3: 'web@c', 4: 'web@d', 5: 'web@e deployed' };
const of = (revision: number) => `it is in revision ${revision} of the Helm release shop/web (prod)`;

export const deployedScenarios: readonly Scenario[] = [
  {
    title: 'what runs stays, by its digest',
    policy,
    builds,
    images: two,
    runs: { prod: ['ci.example/web@a'] },
    keeps: { 'ci/web a': 'it is used by pod 1 (prod)' },
    deletes: { 'ci/web b': goes(2) },
  },
  {
    title: 'of a tag beside a digest only the digest is used',
    policy,
    builds,
    images: two,
    runs: { prod: ['ci.example/web:2@a'] },
    keeps: { 'ci/web a': 'it is used by pod 1 (prod)' },
    deletes: { 'ci/web b': goes(2) },
  },
  {
    title: 'what runs by a tag is what the tag is on, and what the node says that it pulled',
    policy,
    builds,
    images: two,
    runs: { prod: [['ci.example/web:1', 'ci.example/web@b'], 'ci.example/web:7'] },
    keeps: { 'ci/web a': 'pod 1', 'ci/web b': 'pod 1' },
  },
  {
    title: 'the host is not looked at, nor what a mirror puts in front of the path',
    policy,
    builds,
    images: { 'ci/team/web a': { builds: [1] }, 'ci/team/api b': { builds: [2] } },
    runs: { prod: ['mirror.example/contosoci/team/web:1', 'web:1'], qa: ['other.example/hub:2'] },
    keeps: { 'ci/team/web a': 'it is used by pod 1 (prod), and in 1 more places' },
    deletes: { 'ci/team/api b': goes(2) },
  },
  {
    title: 'a reference without a tag means latest',
    policy,
    builds,
    images: { 'ci/web a': { builds: [1], tags: ['1', 'latest'] }, 'ci/web b': { builds: [2] } },
    runs: { prod: ['ci.example/web'] },
    keeps: { 'ci/web a': 'it is used by pod 1 (prod)' },
    deletes: { 'ci/web b': goes(2) },
  },
  {
    title: 'by a tag that a release took off, what runs and what one can go back to is the image that had it',
    policy: 'keep: { deployed: true, helmRevisions: 1 }',
    registries: { ci: 'delete', prod: 'delete' },
    builds: { ...builds, 3: 'main 9d' },
    images: {
      'ci/web a': { builds: [1], tags: [], released: [1], taken: ['1'] },
      'prod/web a': { promoted: [1] },
      'ci/web b': { builds: [2], tags: [], released: [2], taken: ['2'] },
      'ci/web c': { builds: [3], tags: [], released: [3], taken: ['3'] },
    },
    runs: { prod: ['ci.example/web:1'] },
    helm: { web: { oldestInUse: 2, revisions: { 1: 'ci.example/web:2' } } },
    keeps: {
      'ci/web a': 'it is used by pod 1 (prod)',
      'prod/web a': 'it is used by pod 1 (prod)',
      'ci/web b': 'it is in revision 1 of the Helm release shop/web (prod)',
    },
    deletes: { 'ci/web c': goes(3) },
  },
  {
    title: 'one that runs docker-pullable:// is read as well',
    policy,
    builds,
    images: two,
    runs: { prod: [['ci.example/web:9', 'docker-pullable://ci.example/web@b']] },
    keeps: { 'ci/web b': 'it is used by pod 1 (prod)' },
    deletes: { 'ci/web a': goes(1) },
  },
  {
    title: 'where a node gives only the id of a configuration, any image of the repository may be what runs',
    policy,
    builds: { ...builds, 3: 'main 9d' },
    images: { ...two, 'ci/api c': { builds: [3] } },
    runs: { prod: [['ci.example/web:1', `docker://sha256:${'0'.repeat(64)}`]] },
    keeps: { 'ci/web a': 'cannot be read and may mean it', 'ci/web b': 'cannot be read and may mean it' },
    deletes: { 'ci/api c': goes(3) },
  },
  {
    title: 'several that give only an id are told once of each image, and how many they are',
    policy,
    builds,
    images: two,
    runs: {
      prod: [1, 2, 3].map(() => ['ci.example/web:1', `docker://sha256:${'0'.repeat(64)}`] as const),
    },
    keeps: {
      'ci/web a': '"ci.example/web:1" cannot be read and may mean it: it is used by pod 1 (prod), and in 5 more places',
      'ci/web b': '"ci.example/web:1" cannot be read and may mean it: it is used by pod 1 (prod), and in 2 more places',
    },
  },
  {
    title: 'a reference that cannot be read keeps every repository that it may mean',
    policy,
    builds: { ...builds, 3: 'main 9d' },
    images: { 'ci/team/web a': { builds: [1] }, 'ci/web b': { builds: [2] }, 'ci/api c': { builds: [3] } },
    // biome-ignore lint: it is what stands there.
    runs: { prod: ['${REGISTRY}/web:1'] },
    keeps: { 'ci/team/web a': 'may mean it: it is used by pod 1', 'ci/web b': 'may mean it' },
    deletes: { 'ci/api c': goes(3) },
  },
  {
    title: 'a reference of which nothing can be read keeps everything',
    policy,
    builds,
    images: two,
    runs: { prod: ['{{ .Values.image }}'] },
    keeps: { 'ci/web a': 'may mean any image: it is used by pod 1', 'ci/web b': 'may mean any image' },
  },
  {
    title: 'a cluster that could not be read keeps everything',
    policy,
    builds,
    images: two,
    runs: { prod: ['ci.example/web@a'], qa: 'unread' },
    keeps: {
      'ci/web a': ['it is used by pod 1', 'what qa runs was not read: 403'],
      'ci/web b': 'what qa runs was not read',
    },
  },
  {
    title: 'a report that is too old keeps everything, and so does one without a time or of a time to come',
    policy,
    builds,
    images: two,
    runs: { prod: ['ci.example/web@a'], qa: [], dev: [], old: [] },
    reported: { prod: '24h', qa: '25h', dev: '?', old: '-2h' },
    keeps: {
      'ci/web a': 'what qa runs was not read: its report is of 2026-05-31T11:00:00.000Z, and too old',
      'ci/web b': [
        'what dev runs was not read: its report does not say of when it is',
        'what old runs was not read: its report is of 2026-06-01T14:00:00.000Z, which is to come',
      ],
    },
  },
  {
    title: 'deployed: false lets what runs go, and asks nobody',
    policy: 'keep: { deployed: false }',
    builds,
    images: two,
    runs: { prod: 'unread' },
    deletes: { 'ci/web a': goes(1), 'ci/web b': goes(2) },
  },
  {
    title: 'deployed: true with nothing that tells what runs keeps everything',
    policy: 'keep: { deployed: true }',
    builds,
    images: two,
    keeps: { 'ci/web a': 'nothing is given that tells what runs', 'ci/web b': 'nothing is given that tells what runs' },
  },
  {
    title: 'helmRevisions counts back from the oldest revision in use, which stays with all that is newer',
    policy: 'keep: { deployed: true, helmRevisions: 1 }',
    ...history,
    helm: { web: { oldestInUse: 4, revisions } },
    keeps: { 'ci/web c': of(3), 'ci/web d': of(4), 'ci/web e': of(5) },
    deletes: { 'ci/web a': goes(1), 'ci/web b': goes(2) },
  },
  {
    title: 'helmRevisions: 0 keeps no older revision, and -1 every one',
    policy: 'keep: { deployed: true, helmRevisions: 0 }',
    ...history,
    helm: { web: { oldestInUse: 5, revisions: { 4: 'web@d', 5: 'web@e deployed' } } },
    keeps: { 'ci/web e': of(5) },
    deletes: { 'ci/web a': goes(1), 'ci/web b': goes(2), 'ci/web c': goes(3), 'ci/web d': goes(4) },
  },
  {
    title: 'helmRevisions: -1 keeps every stored revision',
    policy: 'keep: { deployed: true, helmRevisions: -1 }',
    ...history,
    helm: { web: { oldestInUse: 5, revisions } },
    keeps: { 'ci/web a': of(1), 'ci/web b': of(2), 'ci/web c': of(3), 'ci/web d': of(4), 'ci/web e': of(5) },
  },
  {
    title: 'a revision that failed takes no place among those one can go back to',
    policy: 'keep: { deployed: true, helmRevisions: 1 }',
    ...history,
    helm: { web: { oldestInUse: 5, revisions: { ...revisions, 4: 'web@d failed' } } },
    keeps: { 'ci/web c': of(3), 'ci/web d': of(4), 'ci/web e': of(5) },
    deletes: { 'ci/web a': goes(1), 'ci/web b': goes(2) },
  },
  {
    title: 'where nobody can say which revision is in use, all stay',
    policy: 'keep: { deployed: true, helmRevisions: 1 }',
    ...history,
    helm: { web: { oldestInUse: '?', revisions: { 1: 'web@a', 2: 'web@b', 5: 'web@e' } } },
    keeps: { 'ci/web a': of(1), 'ci/web b': of(2), 'ci/web e': of(5) },
    deletes: { 'ci/web c': goes(3), 'ci/web d': goes(4) },
  },
  {
    title: 'without helmRevisions ten older ones stay where deployed is true',
    policy: 'keep: { deployed: true }',
    ...history,
    helm: { web: { oldestInUse: 5, revisions } },
    keeps: { 'ci/web a': of(1), 'ci/web b': of(2), 'ci/web c': of(3), 'ci/web d': of(4), 'ci/web e': of(5) },
  },
];
