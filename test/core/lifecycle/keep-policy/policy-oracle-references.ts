/** The oracle's part about branches, tags and pull requests. */
import type { BuildFact, SourceFacts } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import type { ReferenceRule } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import { buildsBehind } from './policy-oracle-unrecorded.ts';
import { buildOf, type Copy, itemsOf, type World } from './policy-oracle-world.ts';

interface Built {
  readonly copy: Copy;
  readonly build: BuildFact;
  readonly time: number | undefined;
}

/** Whether a rule about references keeps the image, for what its own records say, or its tags where there are none. */
export function isKeptByReference(world: World, copy: Copy): boolean {
  const { references } = world.rules.keep;
  return builtOf(world, copy).some(built => {
    if (references.length > 0 && nameOf(built.build) === undefined) return true;
    return references.some(rule => keeps(world, rule, built));
  });
}

function builtOf(world: World, copy: Copy): Built[] {
  const { records } = copy;
  const named = records.length > 0 ? records.map(({ record }) => buildOf(world, record)) : buildsBehind(world, copy);
  const builds = new Set(named);
  return [...builds].flatMap(build => (build ? [{ copy, build, time: build.finishedAt }] : []));
}

function nameOf({ source, ref }: BuildFact): { readonly kind: string; readonly name: string } | undefined {
  if (source === '') return undefined;
  if (ref.startsWith('refs/heads/')) return { kind: 'branch', name: ref.slice(11) };
  if (ref.startsWith('refs/tags/')) return { kind: 'tag', name: ref.slice(10) };
  return ref.startsWith('refs/pull/') ? { kind: 'pullRequest', name: ref.slice(10).split('/')[0] ?? '' } : undefined;
}

interface Ref {
  readonly name: string;
  readonly date: number | undefined;
  readonly commit?: string | undefined;
}

function refsOf({ kind }: ReferenceRule, source: SourceFacts | undefined): readonly Ref[] | 'unread' {
  if (!source) return 'unread';
  if (kind === 'tag') return source.tags.kind === 'unread' ? 'unread' : source.tags.items;
  const list = kind === 'branch' ? source.branches : source.pullRequests;
  if (list.kind === 'unread') return 'unread';
  if (kind === 'branch') return itemsOf(source.branches).map(({ name, lastActivity: date }) => ({ name, date }));
  return itemsOf(source.pullRequests)
    .filter(each => each.state === 'active')
    .map(({ id, lastActivity: date }) => ({ name: String(id), date }));
}

function keeps(world: World, rule: ReferenceRule, built: Built): boolean {
  const { now, sources } = world.facts;
  const { last, in: within, operator } = rule.images;
  if (last === 0 && !(operator === 'Or' && within !== undefined)) return false;
  const { source } = built.build;
  const refs = refsOf(
    rule,
    sources.find(each => each.source === source),
  );
  const isMeant = (name: string) => rule.pattern === undefined || rule.pattern.matches(name);
  const all = world.copies.flatMap(copy => builtOf(world, copy)).filter(each => isHome(each, built));
  const isOf = (each: Built, name: string) => {
    const own = nameOf(each.build);
    return each.build.source === source && own?.kind === rule.kind && own.name === name;
  };
  if (refs === 'unread') {
    if (rule.kind === 'tag') return true;
    const own = nameOf(built.build);
    if (own?.kind !== rule.kind || !isMeant(own.name)) return false;
    return isAmong(
      world,
      rule,
      built,
      all.filter(each => isOf(each, own.name)),
    );
  }
  const active = refs
    .filter(({ name }) => isMeant(name))
    .filter(({ date }) => date === undefined || rule.activeWithin === undefined || date >= now - rule.activeWithin);
  const chosen = active.filter(({ date }) => {
    const newer = active.filter(other => other.date !== undefined && date !== undefined && other.date > date);
    return date === undefined || rule.limit === undefined || newer.length < rule.limit;
  });
  if (rule.kind === 'tag' && chosen.some(each => each.commit === undefined)) return true;
  return chosen.some(({ name, commit }) => {
    const group = all.filter(
      each =>
        isOf(each, name) || (each.build.source === source && commit !== undefined && each.build.commit === commit),
    );
    return group.some(each => isSame(each, built)) && isAmong(world, rule, built, group);
  });
}

function isHome(one: Built, other: Built): boolean {
  return one.copy.registry === other.copy.registry && one.copy.repository === other.copy.repository;
}

function isSame(one: Built, other: Built): boolean {
  return isHome(one, other) && one.copy.image.digest === other.copy.image.digest && one.build === other.build;
}

/** Whether what counts as one with `built` is among those of the group that stay. */
function isAmong(world: World, rule: ReferenceRule, built: Built, group: readonly Built[]): boolean {
  const { last, in: within, operator } = rule.images;
  const { source } = built.build;
  const unclear = world.copies
    .flatMap(copy => builtOf(world, copy))
    .filter(each => isHome(each, built))
    .filter(
      ({ build }) => (build.source === source && nameOf(build) === undefined) || (build.source === '' && source !== ''),
    )
    .map(each => ({ ...each, time: undefined }));
  const members = [...group, ...unclear];
  const time = timeOf(unitOf(built, members));
  const others = new Set(
    members
      .map(each => unitOf(each, members))
      .filter(unit => time !== undefined && (timeOf(unit) ?? -1) > time)
      .map(unit =>
        unit
          .map(each => members.indexOf(each))
          .sort((one, other) => one - other)
          .join(),
      ),
  );
  const isLast = last === -1 || (last > 0 && others.size < last);
  if (within === undefined) return isLast;
  const isRecent = time === undefined || time >= world.facts.now - within;
  return operator === 'Or' ? isLast || isRecent : isLast && isRecent;
}

function unitOf(built: Built, members: readonly Built[]): Built[] {
  const unit = members.filter(each => isSame(each, built));
  for (let size = -1; size !== unit.length; ) {
    size = unit.length;
    for (const each of members) {
      const isLinked = unit.some(
        other =>
          other.copy.image.digest === each.copy.image.digest ||
          ([each, other].every(({ copy, build }) => copy.records.length > 0 && build.commit !== '') &&
            other.build.commit === each.build.commit),
      );
      if (isLinked && !unit.includes(each)) unit.push(each);
    }
  }
  return unit;
}

function timeOf(unit: readonly Built[]): number | undefined {
  const times = unit.map(each => each.time);
  return times.includes(undefined) ? undefined : Math.max(...times.filter(time => time !== undefined));
}
