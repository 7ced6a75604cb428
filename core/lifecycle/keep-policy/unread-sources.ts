/**
 * The sources that were not read whole and could have named any image: a copy may be tagged in the one repository that
 * could not be listed, and a pod of the one cluster that did not answer may run it. While there is one, everything stays.
 */

import type { Reading } from '../../base/reading.ts';
import { findBuild, type KnownBuilds } from './known-builds.ts';
import type { Places } from './places.ts';
import type { PlanFacts, PlanRules, RegistryFacts, UsageFacts } from './policy-facts.ts';

/** The clocks of a cluster and the registry may disagree by so much, in milliseconds. */
const clockDifferenceMs = 60 * 60_000;

/** A sentence for each, in order. Git repositories are not among them: those only hold what was built from them. */
export function listUnread(rules: PlanRules, facts: PlanFacts, builds: KnownBuilds, places: Places): string[] {
  const found = [
    ...unreadRegistries(rules, facts),
    ...unreadIndexes(places),
    ...unreadUsage(rules, facts),
    ...untoldBuilds(facts, builds),
  ];
  return [...new Set(found)].sort();
}

function unreadRegistries(rules: PlanRules, { registries }: PlanFacts): string[] {
  const missing = rules.registries.filter(({ name }) => registries.every(each => each.name !== name));
  return [...missing.map(({ name }) => `the registry ${name} was not read`), ...registries.flatMap(unreadOf)];
}

function unreadOf({ name, repositories, records }: RegistryFacts): string[] {
  const found = [
    ...reasonOf(repositories, `the repositories of ${name} were not read`),
    ...reasonOf(records, `the build records of ${name} were not read`),
  ];
  for (const repository of repositories.kind === 'whole' ? repositories.items : []) {
    const label = `${name}/${repository.name}`;
    found.push(...reasonOf(repository.images, `the images of ${label} were not read`));
  }
  return found;
}

function reasonOf(reading: Reading<unknown>, what: string): string[] {
  return reading.kind === 'unread' ? [`${what}: ${reading.reason}`] : [];
}

function unreadUsage(rules: PlanRules, { usage, now }: PlanFacts): string[] {
  const { deployed, helmRevisions } = rules.keep;
  if (!deployed && helmRevisions === undefined) return [];
  if (rules.usage.length === 0 && usage.length === 0) {
    return [
      'nothing is given that tells what runs: name clusters, or the usage of a registry, in the configuration, or say keep: { deployed: false } where nothing does',
    ];
  }
  const missing = rules.usage.filter(({ name }) => usage.every(each => each.name !== name));
  const found = missing.map(({ name }) => `what ${name} runs was not read`);
  for (const each of usage) {
    const { name, label = name, uses, releases } = each;
    const age = ageOf(each, rules, now);
    const why = [
      ...(deployed ? reasonOf(uses, `what ${label} runs was not read`) : []),
      ...(helmRevisions === undefined ? [] : reasonOf(releases, `the Helm releases of ${label} were not read`)),
    ];
    // What could not be read is of no time either.
    found.push(...(age === undefined || why.length > 0 ? why : [`what ${label} runs was not read: ${age}`]));
  }
  return found;
}

function ageOf({ name, takenAt, readAt }: UsageFacts, rules: PlanRules, now: number): string | undefined {
  const maxAge = Math.min(...rules.usage.flatMap(each => (each.name === name ? (each.maxAge ?? []) : [])));
  if (maxAge === Infinity) return undefined;
  if (takenAt === undefined) return 'its report does not say of when it is';
  const time = new Date(takenAt).toISOString();
  // `now` is the earliest of all registries' times: by a clock that is slow a report would be younger than it is.
  const latest = Math.max(now, readAt ?? now);
  if (takenAt > latest + clockDifferenceMs) return `its report is of ${time}, which is to come`;
  return latest - takenAt > maxAge ? `its report is of ${time}, and too old` : undefined;
}

function unreadIndexes({ homes }: Places): string[] {
  const found: string[] = [];
  for (const { registry, repository, places } of homes) {
    for (const { image } of places) {
      const { digest, children } = image;
      if (children === undefined) found.push(`what ${registry}/${repository}@${digest} consists of was not read`);
    }
  }
  return found;
}

/** Where nothing at all is told of a recorded build, what else was built from its commit cannot be told either. */
function untoldBuilds({ registries }: PlanFacts, builds: KnownBuilds): string[] {
  const found: string[] = [];
  for (const { records } of registries) {
    for (const { build } of records.kind === 'whole' ? records.items : []) {
      if (findBuild(builds, build)) continue;
      const { organization, project, id } = build;
      found.push(`build ${organization}/${project}/${id}, which a record names, was not asked for`);
    }
  }
  return found;
}
