/** What the registry knows of builds: the places of their records and tombstones, joined. */
import type { BuildFacts } from '../azure-devops/builds.ts';
import { groupBy } from '../base/group-by.ts';
import type { Registry } from '../oci/registry.ts';
import { listRecordKeys, type RecordKey } from './build-record.ts';
import { listEveryRecordKey } from './facts/read-records.ts';
import type { BuildKey, Rules } from './rules.ts';
import type { Surroundings } from './surroundings.ts';
import { listTombstones, type TombstoneKey } from './tombstone.ts';

/** One build of a project. */
export interface RecordedBuild {
  readonly projectId: string;
  readonly buildId: number;
  readonly records: readonly RecordKey[];
  readonly tombstones: readonly TombstoneKey[];
}

/** A build that is not known to live, with what a question in bulk told of it. */
export interface FoundBuild extends RecordedBuild {
  readonly told?: (BuildFacts & { readonly deleted: boolean }) | undefined;
}

/** Everything that was listed: the ground of one run. */
export interface RecordedBuilds {
  /** All, or those alone that were asked for. */
  readonly builds: readonly RecordedBuild[];
  readonly tombstones: readonly TombstoneKey[];
  /** Build ids that records of more than one project claim: unique in an organization, so at least one is not true. */
  readonly disputed: ReadonlySet<number>;
}

/**
 * Lists the records and tombstones of every project, held against the counts of their repositories. One list that fails,
 * or is not whole, fails all: the brake counts on being complete, and a record that is left out may be the one that says
 * "keep". With `only` the records of these build ids alone, in every project, so that the cost is not that of all builds;
 * no count says how many these are, so one that is left out is missed until the run that lists all, before it collects.
 */
export async function listRecordedBuilds(
  { registry }: Surroundings,
  rules: Rules,
  only?: readonly BuildKey[],
): Promise<RecordedBuilds> {
  const ids = only && new Set(only.map(key => key.buildId));
  const builds: RecordedBuild[] = [];
  const tombstones: TombstoneKey[] = [];
  const owners = new Map<number, string>();
  const disputed = new Set<number>();
  for (const { projectId } of rules.projects) {
    const records = groupBy(await listRecords(registry, projectId, ids), key => key.buildId);
    const stones = await listTombstones(registry, projectId);
    const stonesOf = groupBy(stones, key => key.buildId);
    tombstones.push(...stones);
    for (const buildId of new Set([...records.keys(), ...stonesOf.keys()])) {
      // The records of the others were not listed, so nothing may be made of them.
      if (ids && !ids.has(buildId)) continue;
      if (owners.has(buildId)) disputed.add(buildId);
      owners.set(buildId, projectId);
      builds.push({ projectId, buildId, records: records.get(buildId) ?? [], tombstones: stonesOf.get(buildId) ?? [] });
    }
  }
  return { builds, tombstones, disputed };
}

async function listRecords(registry: Registry, projectId: string, ids?: ReadonlySet<number>): Promise<RecordKey[]> {
  if (!ids) return listEveryRecordKey(registry, projectId);
  const found: RecordKey[] = [];
  for (const id of ids) found.push(...(await listRecordKeys(registry, projectId, id)));
  return found;
}
