/** What a look could not read, for people and for exit codes. Pure. */
import type { Reading } from '../../base/reading.ts';
import type { BuildFact, SourceFacts } from '../keep-policy/policy-facts.ts';
import type { ReferenceRule } from '../keep-policy/policy-schema.ts';
import type { Look } from './look.ts';

/** What was not read. */
export interface NotRead {
  /** While there is one, everything stays. A sentence without a full stop each, as all here. */
  readonly everything: readonly string[];
  /** What holds some images only. */
  readonly some: readonly string[];
}

/** In the words of the plan: a reference of what runs that names not even a repository, so that every image has this reason. */
const mayMeanAny = ' cannot be read and may mean any image: ';

/** Lists it, in order. */
export function listNotRead(look: Pick<Look, 'facts' | 'rules' | 'plan'>): NotRead {
  const { plan } = look;
  const anything = (plan.images[0]?.reasons ?? []).filter(each => each.includes(mayMeanAny));
  return {
    everything: [...plan.unread, ...anything],
    some: [...listPartlyUnread(look), ...(anything.length > 0 ? [] : listUnparsed(plan))],
  };
}

/** What runs by a name that nobody can read. */
export function listUnparsed({ unparsed }: Pick<Look['plan'], 'unparsed'>): string[] {
  return unparsed.map(each => `what "${each}" means, which something runs, cannot be read`);
}

function listPartlyUnread({ facts, rules }: Pick<Look, 'facts' | 'rules'>): string[] {
  const kinds = new Set(rules.keep.references.map(({ kind }) => kind));
  // Who shares a registry need not be told at each run that others' builds are not asked for.
  const asked = new Set(facts.organizations.map(({ name }) => name));
  const builds = facts.builds.filter(({ build }) => asked.has(build.organization));
  const found = [
    ...facts.organizations.flatMap(({ name, unread }) =>
      unread === undefined ? [] : [`${name} was not asked for builds that no record names: ${unread}`],
    ),
    ...facts.sources.flatMap(each => unreadOfSource(each, kinds)),
    ...joinBuilds(builds, each => (each.state.kind === 'unknown' ? each.state.reason : undefined), 'the state'),
    ...joinBuilds(builds, each => reasonOf(each.retainedBy), 'what holds them'),
  ];
  return [...new Set(found)].sort();
}

const names: readonly (readonly [
  kind: ReferenceRule['kind'],
  key: 'branches' | 'tags' | 'pullRequests',
  name: string,
])[] = [
  ['branch', 'branches', 'branches'],
  ['tag', 'tags', 'tags of git'],
  ['pullRequest', 'pullRequests', 'pull requests'],
];

/** What no rule is about was not asked for, and holds nothing. */
function unreadOfSource(facts: SourceFacts, kinds: ReadonlySet<ReferenceRule['kind']>): string[] {
  return names.flatMap(([kind, key, name]) => {
    const reason = kinds.has(kind) ? reasonOf(facts[key]) : undefined;
    const source = facts.source || 'a git repository';
    return reason === undefined ? [] : [`the ${name} of ${source} were not read: ${reason}`];
  });
}

/** Thousands of builds may lack one right: one line for each project, with the first of its reasons. */
function joinBuilds(
  builds: readonly BuildFact[],
  reasonOfBuild: (build: BuildFact) => string | undefined,
  what: string,
): string[] {
  const projects = new Map<string, { count: number; reason: string }>();
  for (const each of builds) {
    const reason = reasonOfBuild(each);
    if (reason === undefined) continue;
    const { organization, project } = each.build;
    const key = `project ${project} of ${organization}`;
    const known = projects.get(key);
    const first = known && known.reason < reason ? known.reason : reason;
    projects.set(key, { count: (known?.count ?? 0) + 1, reason: first });
  }
  return [...projects].map(
    ([project, { count, reason }]) =>
      `of ${count === 1 ? 'a build' : `${count} builds`} in ${project}, ${what} was not read: ${reason}`,
  );
}

function reasonOf(reading: Reading<unknown>): string | undefined {
  return reading.kind === 'unread' ? reading.reason : undefined;
}
