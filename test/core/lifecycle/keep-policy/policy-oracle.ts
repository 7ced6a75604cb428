/**
 * What a plan must delete, reckoned the slow way from docs/keep-policies.md: every rule asks everything about every image.
 * It shares no code with the product but the reading of patterns and of what runs. It knows one organization without a prefix.
 */

import type { Reading } from '../../../../core/base/reading.ts';
import type { PlanFacts, PlanRules, RecordFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { readUsedImage } from '../../../../core/lifecycle/keep-policy/used-image.ts';
import type { Digest } from '../../../../core/oci/digest.ts';
import { isKeptByReference } from './policy-oracle-references.ts';
import { hasTraces, isUnrecordedGone } from './policy-oracle-unrecorded.ts';
import { buildOf, type Copy, everyTag, isDead, itemsOf, namedTags, names, type World } from './policy-oracle-world.ts';

const hour = 3_600_000;

/** The images that go, each as `registry/repository@digest`, in order. */
export function decideSlowly(rules: PlanRules, facts: PlanFacts): string[] {
  const world: World = { rules, facts, copies: listCopies(facts) };
  if (isBlind(world)) return [];
  const needed = closeOverIndexes(world);
  const stays = new Set(
    world.copies.filter(
      copy =>
        needed.has(copy.image.digest) ||
        staysByItself(world, copy) ||
        (!goesByItself(world, copy) && ownersOf(world, copy).length === 0) ||
        isInCircle(world, copy),
    ),
  );
  for (let size = -1; size !== stays.size; ) {
    size = stays.size;
    for (const one of stays) for (const other of world.copies) if (isTied(one, other)) stays.add(other);
  }
  return world.copies
    .filter(copy => !stays.has(copy))
    .map(({ registry, repository, image }) => `${registry}/${repository}@${image.digest}`)
    .sort();
}

function listCopies({ registries }: PlanFacts): Copy[] {
  return registries.flatMap(({ name, repositories, records }) =>
    itemsOf(repositories).flatMap(repository =>
      itemsOf(repository.images).map(image => ({
        registry: name,
        repository: repository.name,
        image,
        records: itemsOf(records).flatMap(record =>
          record.images
            .filter(each => each.repository === repository.name && each.digest === image.digest)
            .map(({ tags }) => ({ record, tags })),
        ),
      })),
    ),
  );
}

function isBlind(world: World): boolean {
  const { rules, facts, copies } = world;
  const { registries, usage, now } = facts;
  const { deployed, helmRevisions } = rules.keep;
  const readings: Reading<unknown>[] = registries.flatMap(each => [
    each.repositories,
    each.records,
    ...itemsOf(each.repositories).map(one => one.images),
  ]);
  if (deployed) readings.push(...usage.map(each => each.uses));
  if (helmRevisions !== undefined) readings.push(...usage.map(each => each.releases));
  if (readings.some(each => each.kind === 'unread')) return true;
  if (rules.registries.some(({ name }) => !registries.some(each => each.name === name))) return true;
  if (copies.some(copy => copy.image.children === undefined)) return true;
  if (registries.some(each => itemsOf(each.records).some(record => !buildOf(world, record)))) return true;
  if (!deployed && helmRevisions === undefined) return false;
  const isFresh = rules.usage.every(({ name, maxAge }) =>
    usage.some(each => {
      if (each.name !== name) return false;
      if (maxAge === undefined) return true;
      return each.takenAt !== undefined && each.takenAt >= now - maxAge && each.takenAt <= now + hour;
    }),
  );
  return !isFresh || usesOf(world).some(each => each.name === 'any');
}

interface Use {
  /** `any`, or the last part of a path. */
  readonly name?: string | undefined;
  readonly digest?: Digest;
  readonly repository?: string;
  readonly tag?: string;
}

function read(text: string): Use[] {
  const used = readUsedImage(text);
  if (used.kind === 'digest') return [{ digest: used.digest }];
  if (used.kind === 'tag') return [{ repository: used.repository, tag: used.tag }];
  return [{ name: used.kind === 'id' ? 'any' : (used.lastPart ?? 'any') }];
}

function usesOf({ rules, facts }: World): Use[] {
  const { deployed, helmRevisions } = rules.keep;
  return facts.usage.flatMap(({ uses, releases }) => [
    ...(deployed ? itemsOf(uses) : []).flatMap(({ image, imageId }) => {
      if (imageId === undefined) return read(image);
      if (readUsedImage(imageId).kind !== 'id') return [...read(image), ...read(imageId)];
      const used = readUsedImage(image);
      if (used.kind === 'tag') return [...read(image), { name: used.repository.split('/').at(-1) }];
      return read(image);
    }),
    ...(helmRevisions === undefined ? [] : itemsOf(releases)).flatMap(({ oldestInUse, revisions }) => {
      const isKept = (revision: number) => {
        if (oldestInUse === undefined || revision >= oldestInUse || helmRevisions === -1) return true;
        const between = revisions.filter(each => each.revision > revision && each.revision < oldestInUse);
        const good = between.filter(each => each.status === 'superseded' || each.status === 'deployed');
        return new Set(good.map(each => each.revision)).size < (helmRevisions ?? 0);
      };
      return revisions.filter(each => isKept(each.revision)).flatMap(each => each.images.flatMap(read));
    }),
  ]);
}

function isUsed(world: World, digest: Digest): boolean {
  return usesOf(world).some(use => {
    if (use.digest !== undefined) return use.digest === digest;
    return world.copies.some(({ repository, image }) => {
      if (image.digest !== digest) return false;
      if (use.name !== undefined) return repository.split('/').at(-1) === use.name;
      const used = `/${use.repository}`;
      const isSame = used.endsWith(`/${repository}`) || `/${repository}`.endsWith(used);
      return isSame && everyTag(image).includes(use.tag ?? '');
    });
  });
}

/** Digests that a rule keeps wherever they are. */
function closeOverIndexes(world: World): Set<Digest> {
  const { copies } = world;
  const all = [...new Set(copies.map(copy => copy.image.digest))];
  const named = new Set([...all, ...copies.flatMap(copy => copy.image.children ?? [])]);
  const used = new Set([...named].filter(digest => isUsed(world, digest)));
  const has = (index: Digest, child: Digest) =>
    copies.some(({ image }) => image.digest === index && image.children?.includes(child));
  const grow = (set: Set<Digest>, isAdded: (candidate: Digest, member: Digest) => boolean) => {
    for (let size = -1; size !== set.size; ) {
      size = set.size;
      for (const member of set) for (const digest of all) if (isAdded(digest, member)) set.add(digest);
    }
  };
  // What is above what runs may not be in any registry, and an index above that is.
  grow(used, (digest, member) => has(digest, member));
  const needed = new Set(all.filter(digest => used.has(digest) || isNeeded(world, digest)));
  grow(needed, (digest, member) => has(member, digest));
  return needed;
}

function isNeeded(world: World, digest: Digest): boolean {
  const { rules, facts, copies } = world;
  const { tags, newerThan } = rules.keep;
  const records = facts.registries.flatMap(each => itemsOf(each.records));
  const naming = records.filter(record => record.images.some(each => each.digest === digest));
  if (naming.some(record => !isGone(world, record))) return true;
  return copies.some(({ image, ...copy }) => {
    if (image.digest !== digest) return false;
    if (everyTag(image).some(tag => tags.some(pattern => pattern.matches(tag)))) return true;
    const times = [image.pushedAt, ...image.tags.map(tag => tag.changedAt)];
    if (newerThan > 0 && times.some(time => time === undefined || time > facts.now - newerThan)) return true;
    return copy.records.length > 0 && isKeptByReference(world, { image, ...copy });
  });
}

function isGone(world: World, record: RecordFact): boolean {
  const build = buildOf(world, record);
  return build !== undefined && build.definition === record.definition && isDead(world, build);
}

const homeOf = ({ copies }: World, { registry, repository }: Copy) =>
  copies.filter(each => each.registry === registry && each.repository === repository);

function staysByItself(world: World, copy: Copy): boolean {
  const { rules } = world;
  const { image, records, registry } = copy;
  const rule = rules.registries.find(each => each.name === registry)?.onBuildDeleted;
  if (rule === 'keep' || image.locked || image.tags.some(tag => tag.locked)) return true;
  if (records.some(({ record }) => record.onBuildDeleted === 'keep' || (record.promoted && rule === undefined)))
    return true;
  const isRead = image.referrers !== undefined || homeOf(world, copy).every(each => each.image.subject !== undefined);
  if (image.subject === undefined || !isRead) return true;
  // What a copy without a record is taken to be of holds that copy alone.
  if (records.length === 0)
    return (hasTraces(copy) && !isUnrecordedGone(world, copy)) || isKeptByReference(world, copy);
  return namedTags(copy).some(
    ({ name, changedAt }) =>
      !records.some(({ record, tags }) => {
        const build = buildOf(world, record);
        if (!build) return false;
        const { id } = record.build;
        const isOwn = name === String(id) || (tags.includes(name) && new RegExp(`(^|-)${id}(-|$)`).test(name));
        const { queuedAt, state } = build;
        const isDated = changedAt !== undefined && queuedAt !== undefined && changedAt >= queuedAt - hour;
        return isOwn && (isDated || state.kind === 'absent');
      }),
  );
}

function goesByItself(world: World, copy: Copy): boolean {
  const { image, records } = copy;
  const { untagged } = world.rules.delete;
  const limit = untagged === undefined ? -Infinity : world.facts.now - untagged.olderThan;
  if (image.tags.length === 0 && image.pushedAt !== undefined && image.pushedAt <= limit) return true;
  const named = namedTags(copy);
  if (records.length === 0) return hasTraces(copy);
  return records.some(({ record }) => {
    const tag = String(record.build.id);
    if (image.released?.some(each => each.id === record.build.id) || named.some(each => each.name === tag)) return true;
    const hasMoved = homeOf(world, copy).some(each => each.image.tags.some(one => one.name === tag));
    return named.length === 0 && hasMoved;
  });
}

/** Whether `other` is in the same repository and stays with `one`. */
function isTied(one: Copy, other: Copy): boolean {
  if (one.registry !== other.registry || one.repository !== other.repository) return false;
  return (one.image.children?.includes(other.image.digest) ?? false) || refersTo(one, other) || refersTo(other, one);
}

function refersTo(referrer: Copy, { image }: Copy): boolean {
  const { subject, tags, digest } = referrer.image;
  // Nothing signs itself.
  const named = digest !== image.digest && tags.some(tag => names(tag.name, image));
  return subject === image.digest || named || (image.referrers?.includes(digest) ?? false);
}

/** What it belongs to. */
function ownersOf(world: World, copy: Copy): Copy[] {
  return homeOf(world, copy).filter(
    other => other.image.children?.includes(copy.image.digest) || refersTo(copy, other),
  );
}

/** Whether it belongs to something that, by whatever way, belongs to it: then neither can go first. */
function isInCircle(world: World, copy: Copy): boolean {
  const above = new Set(ownersOf(world, copy));
  for (const owner of above) for (const each of ownersOf(world, owner)) above.add(each);
  return above.has(copy);
}
