/** The rules of a plan, made ready to be asked two hundred thousand times. Pure. */

import { matchesGlob } from '../owned-tags.ts';
import type { Rules } from '../rules.ts';
import { type KnownBuild, type KnownBuilds } from './known-builds.ts';
import type { BuildName, PlanFacts, PlanRules, RegistryRules } from './policy-facts.ts';
import type { DeletePolicy, KeepPolicy } from './policy-schema.ts';

/** What judging a copy needs. */
export interface ReadyRules {
  readonly now: number;
  readonly keep: KeepPolicy;
  readonly delete: DeletePolicy;
  readonly registries: ReadonlyMap<string, RegistryRules>;
  /** By organization: how its build tags look. */
  readonly ownership: ReadonlyMap<string, Pick<Rules, 'buildTagPrefix' | 'alsoOwn'>>;
  /** Whether the configuration gives the build's project images in a repository. */
  isGiven(build: BuildName, repository: string): boolean;
  /** Untagged images must not have changed since, in milliseconds; undefined: they stay. */
  readonly untaggedBefore: number | undefined;
  /** Registries in which nothing goes for want of a tag, because records of others were not read there. */
  readonly othersUnread: ReadonlySet<string>;
  /** Every build with an id, whatever its organization. */
  buildsById(): ReadonlyMap<string, readonly KnownBuild[]>;
  /** Organizations of the configuration whose builds were not read, each with why. */
  readonly unreadOrganizations: readonly string[];
}

/** Makes rules ready for one plan. */
export function readyRules(rules: PlanRules, facts: PlanFacts, builds: KnownBuilds): ReadyRules {
  const { untagged } = rules.delete;
  let byId: ReadonlyMap<string, readonly KnownBuild[]> | undefined;
  return {
    now: facts.now,
    keep: rules.keep,
    delete: rules.delete,
    registries: new Map(rules.registries.map(each => [each.name, each])),
    ownership: new Map(rules.organizations.map(each => [each.name, each])),
    isGiven: giveRepositories(rules),
    untaggedBefore: untagged && facts.now - untagged.olderThan,
    othersUnread: new Set(facts.registries.flatMap(each => (each.othersUnread === undefined ? [] : each.name))),
    buildsById: () => (byId ??= listById(builds)),
    unreadOrganizations: rules.organizations.flatMap(({ name }) => unreadOf(name, facts)),
  };
}

function giveRepositories({ organizations }: PlanRules): ReadyRules['isGiven'] {
  const answers = new Map<string, boolean>();
  return ({ organization, project }, repository) => {
    const key = `${organization}/${project}/${repository}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const rule = organizations.find(each => each.name === organization)?.projects.find(each => each.name === project);
    const isGiven = rule?.repositories.some(glob => matchesGlob(repository, glob)) ?? false;
    answers.set(key, isGiven);
    return isGiven;
  };
}

/** Every known build by its id alone, as a tag has it; several where organizations or projects have the same. */
export function listById(builds: KnownBuilds): Map<string, KnownBuild[]> {
  const found = new Map<string, KnownBuild[]>();
  for (const projects of builds.values()) {
    for (const ids of projects.values()) {
      for (const [id, build] of ids) found.set(String(id), [...(found.get(String(id)) ?? []), build]);
    }
  }
  return found;
}

function unreadOf(organization: string, { organizations }: PlanFacts): string[] {
  const told = organizations.filter(each => each.name === organization);
  if (told.length === 0) return [`a build of ${organization}, which was not asked`];
  const reasons = told.flatMap(each => each.unread ?? []);
  return reasons.map(each => `a build of ${organization}, which was not read: ${each}`);
}
