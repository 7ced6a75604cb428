/** Which tags are a build's own. Whatever is not, holds the image. */
import { equal } from 'node:assert/strict';
import { matchesGlob, ownershipOf } from '../../../core/lifecycle/owned-tags.ts';

describe('the tags that are a build’s own', () => {
  const build = { id: 4711, number: '20261123.4' };
  const own = (tag: string, alsoOwn: readonly string[] = [], recorded: readonly string[] = [tag], stated = build) =>
    ownershipOf(tag, stated, { buildTagPrefix: '', alsoOwn }, recorded);

  it('are those with its id or number, where its records name them', () => {
    equal(own('4711', [], []), 'buildTag');
    equal(own('app-4711'), 'id');
    equal(own('app-4711', [], []), undefined);
    equal(own('20261123.4'), 'number');
    equal(own('20261123.4', [], []), undefined);
  });

  it('are not those that only have the id or number as a part of another word or version', () => {
    for (const tag of [
      '14711',
      '47110',
      'x4711',
      '4711x',
      '1.4711',
      '4711.0',
      '1.20261123.4',
      '20261123.4.1',
      '20261123.40',
    ])
      equal(own(tag), undefined, tag);
  });

  it('are none by a number that has no digit, or that is unknown', () => {
    equal(
      ownershipOf('latest', { id: 4711, number: 'latest' }, { buildTagPrefix: '', alsoOwn: [] }, ['latest']),
      undefined,
    );
    equal(ownershipOf('prod', { id: 4711 }, { buildTagPrefix: '', alsoOwn: [] }, ['prod']), undefined);
    equal(ownershipOf('v-', { id: 4711 }, { buildTagPrefix: '', alsoOwn: ['v-{buildNumber}'] }, []), undefined);
  });

  it('are none by a pattern that names neither id nor number', () => {
    equal(own('latest', ['latest'], []), undefined);
    equal(own('latest', ['*'], []), undefined);
  });

  it('by a pattern with the number alone count as little as the number', () => {
    equal(own('rc-20261123.4', ['rc-{buildNumber}'], []), 'number');
    equal(own('rc-4711', ['rc-{buildId}'], []), 'id');
    equal(own('4711-20261123.4', ['{buildId}-{buildNumber}'], []), 'id');
  });

  it('match a pattern as a whole, in which nothing but "*" is special', () => {
    equal(own('rc.4711', ['rc.{buildId}'], []), 'id');
    equal(own('rcx4711', ['rc.{buildId}'], []), undefined);
    equal(own('rc.4711-a', ['rc.{buildId}'], []), undefined);
    equal(own('a-rc.4711', ['rc.{buildId}'], []), undefined);
    equal(matchesGlob('team-a/app', 'team-a/*'), true);
    equal(matchesGlob('team-ab/app', 'team-a/*'), false);
    equal(matchesGlob('teamXa/app', 'team.a/*'), false);
    equal(matchesGlob('x/team-a/app', 'team-a/*'), false);
    equal(matchesGlob('team-a/app', '*'), true);
    equal(matchesGlob('aba', 'ab*ba'), false);
    equal(matchesGlob('abba', 'ab*ba'), true);
  });
});
