import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { checkTagPattern, fillTagPattern } from '../../../core/lifecycle/tag-pattern.ts';
import { mapRepository } from '../../../core/lifecycle/target-repository.ts';

const build = {
  collectionId: '11111111-1111-1111-1111-111111111111',
  organization: 'contoso',
  projectId: '22222222-2222-2222-2222-222222222222',
  definitionId: 12,
  id: 4711,
  number: '20261125.3',
  repository: 'shop',
  branch: 'refs/heads/feature/Größe+1',
  commit: '0123456789abcdef0123456789abcdef01234567',
  stage: 'build',
  job: 'images',
  attempt: '1.1',
};

const isInputError = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message);

describe('tags made of the record', () => {
  const filled: [pattern: string, tag: string, branch?: string][] = [
    ['{buildId}', '4711'],
    ['v{buildNumber}', 'v20261125.3'],
    ['{branch}', 'feature-Gr-e-1'],
    ['{branch}-{commit}', 'feature-Gr-e-1-0123456789abcdef0123456789abcdef01234567'],
    ['{branch}', 'main', 'refs/heads/main'],
    ['{branch}', 'v1.2.0', 'refs/tags/v1.2.0'],
    ['{branch}', 'pull-12-merge', 'refs/pull/12/merge'],
    ['{branch}', 'hidden', 'refs/heads/.hidden'],
    ['latest', 'latest'],
  ];
  for (const [pattern, tag, branch = build.branch] of filled) {
    it(`makes ${tag} of ${pattern} for ${branch}`, () => {
      checkTagPattern(pattern, 'tags');
      assert.equal(fillTagPattern(pattern, { ...build, branch }), tag);
    });
  }

  it('are refused before anything else where no build could fill them', () => {
    assert.throws(
      () => checkTagPattern('{Build.BuildId}', 'tags'),
      isInputError(/^The input tags: .*holds \{Build\.BuildId\}/),
    );
    assert.throws(() => checkTagPattern('{toString}', 'tags'), isInputError(/holds \{toString\}/));
    assert.throws(() => checkTagPattern('a b', 'tags'), isInputError(/makes no tag/));
    assert.throws(() => checkTagPattern('-{buildId}', 'tags'), isInputError(/makes no tag/));
  });

  it('are refused where this build says nothing, or too much', () => {
    assert.throws(
      () => fillTagPattern('{commit}', { ...build, commit: '' }),
      isInputError(/wants \{commit\}, which the record/),
    );
    assert.throws(
      () => fillTagPattern('{branch}', { ...build, branch: `refs/heads/${'x'.repeat(200)}` }),
      isInputError(/is not a tag/),
    );
  });
});

describe('repositories of a stage', () => {
  const renamed = new Map([['shop/web', 'store/frontend']]);
  it('keep their names, but for a prefix and for those that are renamed', () => {
    assert.equal(mapRepository('shop/api', { prefix: '', renamed }), 'shop/api');
    assert.equal(mapRepository('shop/api', { prefix: 'prod/', renamed }), 'prod/shop/api');
    assert.equal(mapRepository('shop/web', { prefix: 'prod', renamed }), 'store/frontend');
  });

  it('are never those of the records', () => {
    const nothing = { prefix: '', renamed: new Map([['shop/web', 'image-lifecycle/builds/x']]) };
    for (const name of ['image-lifecycle/tombstones/x', 'image-lifecycle', 'shop/web']) {
      assert.throws(() => mapRepository(name, nothing), isInputError(/where records are kept/));
    }
    assert.throws(
      () => mapRepository('tombstones/x', { prefix: 'image-lifecycle', renamed }),
      isInputError(/where records are kept/),
    );
  });
});
