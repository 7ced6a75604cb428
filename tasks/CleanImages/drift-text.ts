/** Where things do not fit together, for people: what will not start again comes first. Pure. */
import type { Drift } from '../../core/lifecycle/cleaning/drift.ts';
import type { LeaseFact } from '../../core/lifecycle/facts/read-leases.ts';
import { nameBuild } from '../../core/lifecycle/keep-policy/known-builds.ts';
import { parseOwner } from '../../core/lifecycle/retain-build.ts';
import { amount, type Block, day, digest, name, section, tableOf, tags, text } from './report-blocks.ts';

/** Tells drift; nothing where there is none. */
export function describeDrift(drift: Drift): Block[] {
  return section('Where things do not fit together', [
    ...tellMissing(drift),
    ...tellBroken(drift),
    ...tellLost(drift),
    ...tellLocked(drift),
    ...tellLeases(drift.idleLeases ?? []),
    ...tellStray(drift),
  ]);
}

function tellMissing({ missing }: Drift): Block[] {
  const rows = missing.map(({ image, cluster, usedBy, reason }) => {
    const [first = '', ...others] = usedBy;
    return [
      name(image),
      text(cluster),
      text(others.length > 0 ? `${first}, and ${others.length} more` : first),
      text(reason),
    ];
  });
  return tableOf(
    'Runs, and could not start again: its image is not there',
    ['Image', 'Cluster', 'Used by', 'Because'],
    rows,
  );
}

function tellBroken({ brokenReleases }: Drift): Block[] {
  const rows = brokenReleases.map(({ cluster, namespace, name: release, revisions, image }) => [
    text(cluster),
    name(`${namespace}/${release}`),
    text(listSome(revisions.map(String), 10)),
    name(image),
  ]);
  return tableOf(
    'Helm releases with revisions that could not be rolled back to',
    ['Cluster', 'Release', 'Revisions', 'Not there, of the newest of them'],
    rows,
  );
}

function tellLost({ lostImages }: Drift): Block[] {
  const rows = lostImages.map(({ registry, build, images }) => {
    const [first] = images;
    const more = images.length > 1 ? ` and ${images.length - 1} more` : '';
    return [text(nameBuild(build)), text(registry), name(`${first?.repository ?? ''}@${first?.digest ?? ''}${more}`)];
  });
  return tableOf(
    'Builds that are there without images that their records name',
    ['Build', 'Registry', 'Not there'],
    rows,
  );
}

function tellLocked({ lockedForEver }: Drift): Block[] {
  const rows = lockedForEver.map(({ registry, repository, digest: of, tags: all, lockedTags }) => [
    name(`${registry}/${repository}`),
    digest(of),
    tags(all),
    text(lockedTags.length === 0 ? 'the image' : `its tag ${listSome(lockedTags, 3)}`),
  ]);
  return tableOf(
    'Locked for ever: every build that made it is gone',
    ['Repository', 'Digest', 'Tags', 'Locked is'],
    rows,
  );
}

function tellLeases(leases: readonly LeaseFact[]): Block[] {
  const rows = leases.map(({ build, ownerId, createdOn }) => [
    text(nameBuild(build)),
    text(tellOwner(ownerId)),
    day(createdOn),
  ]);
  return tableOf(
    'Leases of pipelines that are gone: they hold their builds for ever',
    ['Build', 'Owner', 'Taken'],
    rows,
  );
}

/** An owner's name in words; as it stands where it is none of ours. */
function tellOwner(ownerId: string): string {
  const owner = parseOwner(ownerId);
  if (!owner) return ownerId;
  const { registry, stage, deployedBy } = owner;
  return `stage ${stage} of ${registry}, for ${deployedBy.kind} ${deployedBy.definitionId}`;
}

function tellStray({ strayImages }: Drift): Block[] {
  const rows = [...strayImages]
    .sort((one, other) => other.images - one.images)
    .map(({ registry, repository, images }) => [name(`${registry}/${repository}`), amount(images)]);
  return tableOf('Images that no build is known of', ['Repository', 'Images'], rows);
}

function listSome(items: readonly string[], most: number): string {
  return items.length > most ? `${items.slice(0, most).join(', ')} and ${items.length - most} more` : items.join(', ');
}
