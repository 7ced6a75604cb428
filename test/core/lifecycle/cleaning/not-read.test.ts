import { deepEqual, match } from 'node:assert/strict';
import { listNotRead } from '../../../../core/lifecycle/cleaning/not-read.ts';
import { parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { toPlanRules } from '../../../../core/lifecycle/configuration/plan-rules.ts';
import { planImages } from '../../../../core/lifecycle/keep-policy/keep-plan.ts';
import type { BuildFact, PlanFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';

const whole = { kind: 'whole', items: [] } as const;
const unread = { kind: 'unread', reason: '403' } as const;
const nothing: PlanFacts = { now: 0, registries: [], builds: [], organizations: [], sources: [], usage: [] };
const source = { source: 'g', branches: whole, tags: whole, pullRequests: whole };

function build(id: number, more: Partial<BuildFact>): BuildFact {
  return {
    build: { organization: 'o', project: 'p', id },
    definition: 1,
    queuedAt: undefined,
    startedAt: undefined,
    finishedAt: undefined,
    source: '',
    ref: '',
    commit: '',
    state: { kind: 'alive' },
    retainedBy: whole,
    ...more,
  };
}

/** A look at these facts, under the policy. */
function look(facts: Partial<PlanFacts>, keep = '{ deployed: false }') {
  const text = `organization: https://dev.azure.com/o\nprojects: [p]\nregistries: [{ url: ci.example }]\nkeep: ${keep}`;
  const rules = { ...toPlanRules(parseConfiguration(text, 'c.yml'), []), registries: [] };
  const all = { ...nothing, ...facts };
  return { facts: all, rules, plan: planImages(rules, all) };
}

/** Says why the state of a build is not known. */
function unknown(reason: string): Pick<BuildFact, 'state'> {
  return { state: { kind: 'unknown', reason } };
}

describe('what a look could not read', () => {
  it('is nothing where all was read', () => {
    const read = { organizations: [{ name: 'o' }], sources: [source], builds: [build(1, {})] };
    deepEqual(listNotRead(look(read)), { everything: [], some: [] });
  });

  it('is told once for each project, source and organization, with a reason', () => {
    const found = listNotRead(
      look({
        organizations: [{ name: 'o', unread: 'no project' }],
        sources: [{ ...source, branches: unread, pullRequests: unread }],
        builds: [
          build(1, unknown('b')),
          build(2, unknown('a')),
          build(3, { state: { kind: 'deleted' }, retainedBy: unread }),
        ],
      }),
    );
    deepEqual(found, {
      everything: [],
      some: [
        'o was not asked for builds that no record names: no project',
        'of 2 builds in project p of o, the state was not read: a',
        'of a build in project p of o, what holds them was not read: 403',
        'the branches of g were not read: 403',
        'the pull requests of g were not read: 403',
      ],
    });
  });

  it('is not what no rule is about, which nobody asked for', () => {
    const sources = [{ ...source, branches: unread, tags: unread, pullRequests: unread }];
    const keep = '{ deployed: false, references: [{ tag: "*" }] }';
    deepEqual(listNotRead(look({ sources }, keep)).some, ['the tags of git of g were not read: 403']);
    deepEqual(listNotRead(look({ sources }, '{ deployed: false, references: [] }')).some, []);
  });

  it('holds everything where it is what runs, or a name of it that may mean any image', () => {
    const usage = [{ name: 'aks', takenAt: 0, uses: unread, releases: whole }];
    deepEqual(listNotRead(look({ usage }, '{}')).everything, ['what aks runs was not read: 403']);
    const image = {
      digest: `sha256:${'a'.repeat(64)}`,
      mediaType: '',
      size: 1,
      locked: false,
      pushedAt: 0,
      tags: [],
    } as const;
    const images = { kind: 'whole', items: [{ ...image, children: [], subject: 'none' }] } as const;
    const registries = [
      { name: 'ci', repositories: { kind: 'whole', items: [{ name: 'web', images }] }, records: whole } as const,
    ];
    const runs = (name: string) => {
      const uses = { kind: 'whole', items: [{ image: name, where: 'pod a' }] } as const;
      return listNotRead(look({ registries, usage: [{ name: 'aks', takenAt: 0, uses, releases: whole }] }, '{}'));
    };
    match(runs('{{ image }}').everything.join(), /"\{\{ image \}\}" cannot be read and may mean any image: /);
    deepEqual(runs('{{ image }}').some, []);
    const some = ['what "${R}/web" means, which something runs, cannot be read'];
    deepEqual(runs('${R}/web'), { everything: [], some });
  });
});
