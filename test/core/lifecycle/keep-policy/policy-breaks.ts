/** Everything that may go wrong with facts, one thing at a time: lost, unreadable, undated, garbled or told twice. */

import type { Reading } from '../../../../core/base/reading.ts';
import type {
  BuildFact,
  ImageFact,
  PlanFacts,
  RegistryFacts,
  SourceFacts,
  UsageFacts,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';

/** One thing that goes wrong; `at` says with which of those that there are. */
export type Break = (facts: PlanFacts, at: number) => PlanFacts;

const unread = { kind: 'unread', reason: 'timeout' } as const;

function changeOne<T>(items: readonly T[], at: number, change: (item: T) => T | readonly T[]): T[] {
  return items.flatMap((item, index) => (index === at % items.length ? change(item) : item));
}

function changeRead<T>(reading: Reading<T>, at: number, change: (item: T) => T | readonly T[]): Reading<T> {
  return reading.kind === 'unread' ? reading : { kind: 'whole', items: changeOne(reading.items, at, change) };
}

const registry =
  (change: (item: RegistryFacts, at: number) => RegistryFacts | []): Break =>
  (facts, at) => ({ ...facts, registries: changeOne(facts.registries, at, each => change(each, at >> 1)) });

const image = (change: (item: ImageFact) => ImageFact | readonly ImageFact[]): Break =>
  registry((each, at) => ({
    ...each,
    repositories: changeRead(each.repositories, at, one => ({
      ...one,
      images: changeRead(one.images, at >> 1, change),
    })),
  }));

const build =
  (change: (item: BuildFact) => BuildFact | readonly BuildFact[]): Break =>
  (facts, at) => ({ ...facts, builds: changeOne(facts.builds, at, change) });

const source =
  (change: (item: SourceFacts, at: number) => SourceFacts | []): Break =>
  (facts, at) => ({ ...facts, sources: changeOne(facts.sources, at, each => change(each, at >> 1)) });

const usage =
  (change: (item: UsageFacts, at: number) => UsageFacts | []): Break =>
  (facts, at) => ({ ...facts, usage: changeOne(facts.usage, at, each => change(each, at >> 1)) });

/** By name. */
export const breaks: Readonly<Record<string, Break>> = {
  'a registry is missing': registry(() => []),
  'a registry is not listed': registry(each => ({ ...each, repositories: unread })),
  'a repository is not listed': registry((each, at) => ({
    ...each,
    repositories: changeRead(each.repositories, at, one => ({ ...one, images: unread })),
  })),
  'records are not read': registry(each => ({ ...each, records: unread })),
  'the children of an index are not read': image(each => ({ ...each, children: undefined })),
  'a subject is not read': image(each => ({ ...each, subject: undefined })),
  'referrers are not read': image(each => ({ ...each, referrers: undefined })),
  'a push has no date': image(each => ({ ...each, pushedAt: undefined })),
  'tags have no date': image(each => ({ ...each, tags: each.tags.map(tag => ({ ...tag, changedAt: undefined })) })),
  'an image is listed again, without anything': image(each => [
    each,
    { ...each, tags: [], takenTags: [], children: [], subject: 'none', locked: false, pushedAt: 0, referrers: [] },
  ]),
  'a build is missing': build(() => []),
  'a build has no state': build(each => ({ ...each, state: { kind: 'unknown', reason: '401' } })),
  'a build has no end': build(each => ({ ...each, finishedAt: undefined })),
  'a build has no reference': build(each => ({ ...each, ref: '', pullRequest: undefined })),
  'a build has no git repository': build(each => ({ ...each, source: '' })),
  'a build has no times': build(each => ({ ...each, queuedAt: undefined, startedAt: undefined })),
  'an absence has no beginning': build(each =>
    each.state.kind === 'absent' ? { ...each, state: { ...each.state, since: undefined } } : each,
  ),
  'leases are not read': build(each => ({ ...each, retainedBy: unread })),
  'a build is answered twice, and otherwise': build(each => [
    each,
    { ...each, finishedAt: 1, commit: 'c2', ref: 'refs/heads/dev', state: { kind: 'deleted' } },
  ]),
  'a git repository is missing': source(() => []),
  'branches are not read': source(each => ({ ...each, branches: unread })),
  'tags are not read': source(each => ({ ...each, tags: unread })),
  'pull requests are not read': source(each => ({ ...each, pullRequests: unread })),
  'a branch has no date': source((each, at) => ({
    ...each,
    branches: changeRead(each.branches, at, one => ({ ...one, lastActivity: undefined })),
  })),
  'a tag has no commit': source((each, at) => ({
    ...each,
    tags: changeRead(each.tags, at, one => ({ ...one, commit: undefined })),
  })),
  'a tag has no date': source((each, at) => ({
    ...each,
    tags: changeRead(each.tags, at, one => ({ ...one, date: undefined })),
  })),
  'a cluster is missing': usage(() => []),
  'pods are not read': usage(each => ({ ...each, uses: unread })),
  'releases are not read': usage(each => ({ ...each, releases: unread })),
  'a report is of yesterday': usage(each => ({ ...each, takenAt: 0 })),
  'a report has no time': usage(each => ({ ...each, takenAt: undefined })),
  'a reference is garbled': usage((each, at) => ({
    ...each,
    uses: changeRead(each.uses, at, one => ({ ...one, image: '{{ image }}' })),
  })),
  'what a node runs is garbled': usage((each, at) => ({
    ...each,
    uses: changeRead(each.uses, at, one => ({ ...one, imageId: '{{ image }}' })),
  })),
  'a node gives an id that names nothing': usage((each, at) => ({
    ...each,
    uses: changeRead(each.uses, at, one => ({ ...one, imageId: one.imageId ?? `sha256:${'0'.repeat(64)}` })),
  })),
  'the revision in use is not known': usage((each, at) => ({
    ...each,
    releases: changeRead(each.releases, at, one => ({ ...one, oldestInUse: undefined })),
  })),
  'an organization is not read': facts => ({ ...facts, organizations: [{ name: 'contoso', unread: '401' }] }),
  'an organization is missing': facts => ({ ...facts, organizations: [] }),
};
