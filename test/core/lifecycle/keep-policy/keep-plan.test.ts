/** The plan, on worlds that read like the policies they are about. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { planImages, writePlan } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import { buildScenarios } from './policy-scenarios/builds.ts';
import { deployedScenarios } from './policy-scenarios/deployed.ts';
import { referenceScenarios } from './policy-scenarios/references.ts';
import { registryScenarios } from './policy-scenarios/registries.ts';
import { otherScenarios } from './policy-scenarios/the-rest.ts';
import { digestOf, factsOf, nameDigests, rulesOf, type Scenario } from './policy-world.ts';

const groups: Readonly<Record<string, readonly Scenario[]>> = {
  'builds and what lies on an image': buildScenarios,
  references: referenceScenarios,
  'what runs': deployedScenarios,
  'registries and the parts of images': registryScenarios,
  'images without a record, untagged images, and what could not be read': otherScenarios,
};

describe('a keep plan', () => {
  for (const [name, scenarios] of Object.entries(groups)) {
    describe(name, () => {
      for (const scenario of scenarios) it(scenario.title, () => checkScenario(scenario));
    });
  }

  it('has at least 60 scenarios', () => {
    ok(Object.values(groups).flat().length >= 60);
  });

  it('hashes what it writes, and another plan to another hash', () => {
    const [one, other] = [buildScenarios[0], buildScenarios[1]].map(each => {
      ok(each);
      return planImages(rulesOf(each), factsOf(each));
    });
    ok(one && other);
    const text = [...writePlan(one)].join('');
    equal(one.hash, createHash('sha256').update(text).digest('hex'));
    equal(one.hash === other.hash, false);
    deepEqual(
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as unknown),
      [
        { plan: 1, images: 1, unread: [], unparsed: [] },
        {
          registry: 'ci',
          repository: 'web',
          images: [
            { digest: digestOf('a'), decision: 'delete', cause: 'build', reasons: ['its build 1 of shop is deleted'] },
          ],
        },
      ],
    );
  });

  it('lists what could not be read, sources and references', () => {
    const scenario: Scenario = {
      title: '',
      policy: 'keep: { deployed: true }',
      builds: { 1: 'main 9d' },
      images: { 'ci/web a': { builds: [1] } },
      unread: { 'records of ci': '503' },
      runs: { prod: ['{{ image }}', 'Web/web:1', 'Web/web:1'], qa: 'unread' },
    };
    const { unread, unparsed } = planImages(rulesOf(scenario), factsOf(scenario));
    deepEqual(unread, ['the build records of ci were not read: 503', 'what qa runs was not read: 403']);
    deepEqual(unparsed, ['Web/web:1', '{{ image }}']);
  });
});

describe('the reasons of a keep plan', () => {
  it('are what was not read, and not what nobody read because of it', () => {
    deepEqual(
      reasonsOf({
        title: '',
        policy: 'keep: { deployed: true }',
        builds: { 1: 'main 9d' },
        images: { 'ci/web a': { builds: [1], subject: '?' }, 'ci/web s': { subject: '?' } },
        runs: { qa: 'unread' },
      }),
      [['what qa runs was not read: 403'], ['what qa runs was not read: 403']],
    );
  });

  it('do not call the tag of a build that was not read a tag of somebody else', () => {
    deepEqual(
      reasonsOf({
        title: '',
        policy: '',
        builds: { 1: 'main running unread' },
        images: { 'ci/web a': { builds: [1], pushed: '9d' } },
      }),
      [['nothing is known of its build 1 of shop: Azure DevOps answered 503']],
    );
  });
});

function reasonsOf(scenario: Scenario): (readonly string[])[] {
  return planImages(rulesOf(scenario), factsOf(scenario)).images.map(each => each.reasons);
}

function checkScenario(scenario: Scenario): void {
  const plan = planImages(rulesOf(scenario), factsOf(scenario));
  const told = Object.fromEntries(
    plan.images.map(({ registry, repository, digest, decision, reasons }) => [
      nameDigests(`${registry}/${repository} ${digest}`, scenario),
      { decision, text: nameDigests(reasons.join('\n'), scenario) },
    ]),
  );
  const decided = (decision: string): string[] =>
    Object.keys(told)
      .filter(key => told[key]?.decision === decision)
      .sort();
  const whole = JSON.stringify(told, null, 1);
  deepEqual(decided('keep'), Object.keys(scenario.keeps ?? {}).sort(), whole);
  deepEqual(decided('delete'), Object.keys(scenario.deletes ?? {}).sort(), whole);
  for (const [key, parts] of Object.entries({ ...scenario.keeps, ...scenario.deletes })) {
    for (const part of [parts].flat()) ok(told[key]?.text.includes(part), `${key} does not say "${part}": ${whole}`);
    match(told[key]?.text ?? '', /\S/);
  }
}
