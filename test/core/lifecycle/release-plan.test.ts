/** What is taken off an image of a build that is gone, from facts alone. */
import { deepEqual, equal } from 'node:assert/strict';
import type { AcrTag } from '../../../core/acr/listings.ts';
import { type ImageFacts, planRelease } from '../../../core/lifecycle/plan.ts';
import { defaultRules } from '../../../core/lifecycle/rules.ts';

describe('the plan of a release', () => {
  const digest = `sha256:${'a'.repeat(64)}` as const;
  const other = `sha256:${'b'.repeat(64)}` as const;
  const build = { id: 4711, number: '20261123.4' };
  const project = { projectId: 'p', repositories: ['*'] };
  const tag = (name: string, locked = false): AcrTag => ({ name, digest, locked, changedAt: undefined });
  const plan = (tags: readonly AcrTag[], facts: Partial<ImageFacts> = {}) => {
    const image = { repository: 'app', digest, mediaType: '', tags: tags.map(each => each.name) };
    const known = { image, exists: true, manifestLocked: false, tags, contentTags: [], buildTagOn: digest, ...facts };
    return planRelease(known, build, { ...defaultRules, projects: [project] }, project);
  };
  const untag = (...args: Parameters<typeof plan>): readonly string[] | undefined => {
    const decision = plan(...args);
    return decision.kind === 'release' ? decision.untag : undefined;
  };

  it('takes all of the build’s own tags', () => {
    deepEqual(untag([tag('4711'), tag('app-4711'), tag('20261123.4')]), ['4711', 'app-4711', '20261123.4']);
  });

  it('leaves the build number on an image that another tag holds', () => {
    deepEqual(untag([tag('4711'), tag('app-4711'), tag('20261123.4'), tag('v1')]), ['4711', 'app-4711']);
  });

  it('takes none where any of them is locked', () => {
    equal(untag([tag('4711', true), tag('app-4711')]), undefined);
    equal(untag([tag('4711'), tag('app-4711', true)]), undefined);
    deepEqual(untag([tag('4711'), tag('v1', true)]), ['4711'], 'a lock on another tag is that tag’s');
  });

  it('leaves what names the content of a chart, and lets nothing be held by it', () => {
    const version = tag('1.4.0_c.3f9a1c22d0');
    const contentTags = [version.name];
    deepEqual(untag([tag('4711'), version, tag('20261123.4')], { contentTags }), ['4711', '20261123.4']);
    deepEqual(untag([tag('4711'), version, tag('20261123.4'), tag('v1')], { contentTags }), ['4711']);
    deepEqual(untag([version], { contentTags, buildTagOn: other }), [], 'an earlier attempt’s');
    equal(untag([version], { contentTags, buildTagOn: undefined }), undefined);
    equal(untag([tag('4711'), tag(version.name, true)], { contentTags }), undefined, 'locked');
  });

  it('takes none where the manifest is locked, gone, or not tied to the build', () => {
    equal(untag([tag('4711')], { manifestLocked: true }), undefined);
    equal(untag([tag('app-4711')], { exists: false }), undefined);
    equal(untag([tag('app-4711')], { buildTagOn: undefined }), undefined);
  });

  it('takes none where the build tag is on another digest, and a tag is on this one', () => {
    deepEqual(plan([tag('4711')], { buildTagOn: other }), {
      kind: 'keep',
      claimed: false,
      reason: 'the build tag "4711" is not on it, but "4711" is: nothing ties it to the build',
    });
    equal(untag([tag('app-4711')], { buildTagOn: other }), undefined, 'whose the other tag is cannot be told');
  });
});
