/** Images without a record, untagged images, and sources that could not be read. */
import type { Scenario } from '../policy-world.ts';

const policy = 'delete: { withoutRecord: { tagsMatching: "/^(web-)?\\\\d+$/", definitions: [7] } }';
/** A tag that was set half an hour before the build ended. */
const set = '12990m';

const unread = (what: string, reason: string): Scenario => ({
  title: `everything stays while ${what} cannot be read`,
  policy: 'delete: { untagged: { olderThan: 1h } }',
  registries: { ci: 'delete', prod: 'delete' },
  unread: { [what]: '503' },
  builds: { 1: 'main 9d' },
  images: {
    ...(what === 'ci' || what === 'ci/web' ? {} : { 'ci/web a': { builds: [1] } }),
    'prod/web a': { promoted: [1] },
    'prod/web b': {},
    ...(what === 'ci/web' ? { 'ci/web z': {} } : {}),
  },
  keeps: {
    ...(what === 'ci' || what === 'ci/web' ? {} : { 'ci/web a': reason }),
    'prod/web a': reason,
    'prod/web b': reason,
  },
});

export const otherScenarios: readonly Scenario[] = [
  {
    title: 'an image without a record stays, whatever became of the build that its tag names',
    policy: '',
    builds: { 1: 'main 9d' },
    images: { 'ci/web a': { tags: ['1'], pushed: set } },
    keeps: { 'ci/web a': 'no build record names it' },
  },
  {
    title: 'withoutRecord: an image whose tags were all set by deleted builds of the pipeline goes',
    policy,
    builds: { 1: 'main 9d', 2: 'main 9d' },
    images: { 'ci/web a': { tags: ['1'], pushed: set }, 'ci/web b': { tags: ['1', 'web-2'], pushed: set } },
    deletes: {
      'ci/web a': 'its tag "1" is that of build 1 of shop, which is deleted',
      'ci/web b': ['its tag "1"', 'its tag "web-2" is that of build 2 of shop'],
    },
  },
  {
    title: 'withoutRecord: any doubt about one tag keeps the image',
    policy,
    builds: {
      1: 'main 9d',
      2: 'main 9d alive',
      3: 'main 9d absent:40d',
      4: 'main 9d deleted pipeline:8',
      5: 'main 9d deleted lease:of-QA',
    },
    images: {
      'ci/web a': { tags: ['1', 'latest'], pushed: set },
      'ci/web b': { tags: ['2'], pushed: set },
      'ci/web c': { tags: ['3'], pushed: set },
      'ci/web d': { tags: ['4'], pushed: set },
      'ci/web e': { tags: ['5'], pushed: set },
      'ci/web f': { tags: ['99'], pushed: set },
      'ci/web g': { tags: ['1'], pushed: '8d' },
      'ci/web h': { tags: ['1'], pushed: '10d' },
      'ci/web j': { tags: ['1'], pushed: set, tagged: '?' },
    },
    keeps: {
      'ci/web a': 'its tag "latest" is not that of a build',
      'ci/web b': 'not known to be deleted',
      'ci/web c': 'not known to be deleted',
      'ci/web d': 'a pipeline that is not listed',
      'ci/web e': 'not known to be deleted',
      'ci/web f': 'of which nothing is known',
      'ci/web g': 'was not set while build 1 of shop ran',
      'ci/web h': 'was not set while build 1 of shop ran',
      'ci/web j': 'was not set while build 1 of shop ran',
    },
  },
  {
    title: 'withoutRecord: a version number is no build id',
    policy: 'delete: { withoutRecord: { tagsMatching: "*", definitions: [7] } }',
    builds: { 1: 'main 9d', 2: 'main 9d' },
    images: { 'ci/web a': { tags: ['1.2'], pushed: set }, 'ci/web b': { tags: ['v2'], pushed: set } },
    keeps: { 'ci/web a': 'holds not just one number' },
    deletes: { 'ci/web b': 'its tag "v2" is that of build 2' },
  },
  {
    title: 'withoutRecord: an image whose tags came off goes when every build on whose account they did is gone',
    policy,
    builds: { 1: 'main 9d deleted', 2: 'main 9d alive' },
    images: { 'ci/web a': { tags: [], released: [1] }, 'ci/web b': { tags: [], released: [1, 2] } },
    deletes: { 'ci/web a': 'its tags came off with build 1 of shop, which is gone' },
    keeps: { 'ci/web b': 'its tags came off with build 2 of shop, which is not known to be gone' },
  },
  {
    title: 'withoutRecord: an image whose tags came off stays when the rule is taken away, also as an untagged one',
    policy: 'delete: { untagged: { olderThan: 1h } }',
    builds: { 1: 'main 9d deleted' },
    images: { 'ci/web a': { tags: [], released: [1], pushed: set } },
    keeps: { 'ci/web a': 'no build record names it' },
  },
  {
    title: 'withoutRecord: an organization that could not be read may have a build of that id',
    policy,
    unread: { contoso: '503' },
    builds: { 1: 'main 9d' },
    images: { 'ci/web a': { tags: ['1'], pushed: set } },
    keeps: { 'ci/web a': 'it may be of a build of contoso, which was not read: 503' },
  },
  {
    title: 'withoutRecord: what runs stays all the same',
    policy: `keep: { deployed: true }\n${policy}`,
    builds: { 1: 'main 9d' },
    images: { 'ci/web a': { tags: ['1'], pushed: set } },
    runs: { prod: ['web:1'] },
    keeps: { 'ci/web a': 'it is used by pod 1' },
  },
  {
    title: 'untagged images stay where nothing else is said',
    policy: '',
    images: { 'ci/web a': {} },
    keeps: { 'ci/web a': 'no build record names it, and delete.untagged is not set' },
  },
  {
    title: 'untagged: what has no tag for so long goes, by the time of its last change',
    policy: 'delete: { untagged: { olderThan: 24h } }',
    images: {
      'ci/web a': { pushed: '24h' },
      'ci/web b': { pushed: '23h' },
      'ci/web c': { pushed: '?' },
      'ci/web d': { tags: ['x'] },
    },
    keeps: {
      'ci/web b': 'it is not old enough',
      'ci/web c': 'it is not old enough',
      'ci/web d': 'no build record names it',
    },
    deletes: { 'ci/web a': 'it has no tag, and was last changed at 2026-05-31T12:00:00.000Z' },
  },
  {
    title: 'untagged: children and signatures are looked at with what they belong to',
    policy: 'delete: { untagged: { olderThan: 24h } }',
    builds: { 1: 'main 9d alive' },
    images: {
      'ci/web i': { builds: [1], children: ['a'] },
      'ci/web a': {},
      'ci/web s': { subject: 'i' },
      'ci/web j': { children: ['b'] },
      'ci/web b': { pushed: '1h' },
    },
    keeps: { 'ci/web i': 'is there', 'ci/web a': 'the index i', 'ci/web s': 'it refers to i, which stays' },
    deletes: { 'ci/web j': 'it has no tag', 'ci/web b': 'it goes with the index j' },
  },
  {
    title: 'untagged: what runs by its digest stays, with what it consists of',
    policy: 'keep: { deployed: true }\ndelete: { untagged: { olderThan: 24h } }',
    images: { 'ci/web i': { children: ['a'] }, 'ci/web a': {}, 'ci/web b': {} },
    runs: { prod: ['ci.example/web@i'] },
    keeps: { 'ci/web i': 'pod 1', 'ci/web a': 'the index i' },
    deletes: { 'ci/web b': 'it has no tag' },
  },
  {
    title: 'untagged: an image of a living build stays without its tags',
    policy: 'delete: { untagged: { olderThan: 24h } }',
    builds: { 1: 'main 9d alive', 2: 'main 9d' },
    images: { 'ci/web a': { builds: [1], tags: [] }, 'ci/web b': { builds: [2], tags: [] } },
    keeps: { 'ci/web a': 'its build 1 of shop is there' },
    deletes: { 'ci/web b': 'it has no tag' },
  },
  unread('ci', 'the repositories of ci were not read: 503'),
  unread('ci/web', 'the images of ci/web were not read: 503'),
  unread('records of ci', 'the build records of ci were not read: 503'),
  {
    title: 'an index of which nobody can say what it consists of keeps everything, because anything may be its child',
    policy: '',
    builds: { 1: 'main 9d' },
    images: { 'ci/web i': { builds: [1], children: '?' }, 'ci/api a': { builds: [1] } },
    keeps: {
      'ci/web i': 'what ci/web@i consists of was not read',
      'ci/api a': 'what ci/web@i consists of was not read',
    },
  },
  {
    title: 'a build that records name and nobody asked about keeps everything',
    policy: '',
    builds: { 2: 'main 9d' },
    images: { 'ci/web a': { builds: [1] }, 'ci/web b': { builds: [2] } },
    keeps: {
      'ci/web a': 'nothing is known of its build 1 of shop',
      'ci/web b': 'build contoso/shop/1, which a record names, was not asked for',
    },
  },
];
