/** What was not read and holds some images only; what holds everything, the plan itself lists. */
import type { Reading } from '../../core/base/reading.ts';
import type { BuildFact, PlanFacts, SourceFacts } from '../../core/lifecycle/keep-policy/policy-facts.ts';

/** A sentence without a full stop for each, in order. */
export function listPartlyUnread({ organizations, sources, builds }: PlanFacts): string[] {
  const found = [
    ...organizations.flatMap(({ name, unread }) =>
      unread === undefined ? [] : [`${name} was not asked for builds that no record names: ${unread}`],
    ),
    ...sources.flatMap(unreadOfSource),
    ...joinBuilds(builds, each => (each.state.kind === 'unknown' ? each.state.reason : undefined), 'the state'),
    ...joinBuilds(builds, each => reasonOf(each.retainedBy), 'what holds them'),
  ];
  return [...new Set(found)].sort();
}

function unreadOfSource({ source, branches, tags, pullRequests }: SourceFacts): string[] {
  const readings = { branches, 'tags of git': tags, 'pull requests': pullRequests };
  return Object.entries(readings).flatMap(([what, reading]) => {
    const reason = reasonOf(reading);
    return reason === undefined ? [] : [`the ${what} of ${source || 'a git repository'} were not read: ${reason}`];
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
