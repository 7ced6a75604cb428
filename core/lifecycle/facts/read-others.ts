/**
 * What projects that the configuration does not name have recorded and released in a registry that is shared with them.
 * Nobody can be asked for their builds, so these may live, and what is theirs stays.
 */
import { mapConcurrently } from '../../base/concurrency.ts';
import { hasCode } from '../../base/errors.ts';
import type { Registry } from '../../oci/registry.ts';
import { isRelease, listTombstones, readTombstone, type Tombstone, type TombstoneKey } from '../tombstone.ts';
import { listProjectIds } from './list-projects.ts';
import { type RecordProject, readRecords, strangerProject } from './read-records.ts';
import type { RecordedBuildFact } from './registry-reading.ts';
import type { ShareText } from './share-texts.ts';
import { clauseOf } from './unread.ts';

/** Why nothing is known of a build of such a project. */
export const notConfigured = 'its project is not in the configuration';

/** What was read. */
export interface OthersReading {
  /** Their records, and a record of what each of their tombstones names: all of builds that nobody can be asked for. */
  readonly records: readonly RecordedBuildFact[];
  /** Where their records are. */
  readonly places: readonly string[];
  /** Why some were not read, for want of a right. */
  readonly unread?: string | undefined;
}

/** Nobody else has recorded anything, or it was not asked. */
export const noOthers: OthersReading = { records: [], places: [] };

/** Where to look. */
export interface OthersQuestion {
  /** The repositories as the registry lists them; undefined where it was not asked yet. */
  readonly listed: readonly string[] | undefined;
  /** The projects of the configuration. */
  readonly projects: readonly Pick<RecordProject, 'id'>[];
  readonly share: ShareText;
}

/**
 * Reads them. What a right lacks for is told, because not everybody may list a registry; throws where anything else fails,
 * as the records of our own do.
 */
export async function readOthers(
  registry: Registry,
  { listed, projects, share }: OthersQuestion,
): Promise<OthersReading> {
  const configured = new Set(projects.map(each => each.id));
  return unlessDenied(async () => {
    const ids = (await listProjectIds(registry, listed)).filter(id => !configured.has(id));
    const read = await mapConcurrently(ids, 8, id => unlessDenied(() => readOther(registry, id, share)));
    return {
      records: read.flatMap(each => each.records),
      places: read.flatMap(each => each.places),
      unread: read.find(each => each.unread !== undefined)?.unread,
    };
  });
}

async function unlessDenied(read: () => Promise<OthersReading>): Promise<OthersReading> {
  try {
    return await read();
  } catch (thrown) {
    if (!hasCode(thrown, 'REGISTRY_DENIED')) throw thrown;
    return { ...noOthers, unread: clauseOf(thrown) };
  }
}

async function readOther(registry: Registry, id: string, share: ShareText): Promise<OthersReading> {
  const project = strangerProject(id, notConfigured);
  const { records, places } = await readRecords(registry, [project], share);
  // Read after the records: whoever settles a build writes the tombstone before the record goes.
  const keys = (await listTombstones(registry, id)).filter(isRelease);
  const released = await mapConcurrently(keys, 16, async key => {
    const tombstone = await readTombstone(registry, key);
    return tombstone ? factOf(project.name, key, tombstone, share) : [];
  });
  return { records: [...records, ...released.flat()], places };
}

/** A released image waits for its grace with its children, which may be left when it is gone. */
function factOf(
  name: RecordProject['name'],
  { buildId, definitionId, time }: TombstoneKey,
  { build, images }: Tombstone,
  share: ShareText,
): RecordedBuildFact {
  const named = images.flatMap(({ repository, digest, children, untag }) => [
    { repository: share(repository), digest: share(digest), tags: untag.map(share) },
    ...children.map(child => ({ repository: share(repository), digest: share(child), tags: [] })),
  ]);
  return {
    build: { ...name, id: buildId },
    definition: definitionId,
    promoted: false,
    onBuildDeleted: 'delete',
    images: named,
    number: build.number ?? '',
    repository: '',
    branch: '',
    commit: '',
    createdAt: time,
    stranger: notConfigured,
  };
}
