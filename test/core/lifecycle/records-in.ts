/** Every record of a build in a registry, as it stands. */
import { type BuildRecord, listRecordKeys, readRecord } from '../../../core/lifecycle/build-record.ts';
import type { Registry } from '../../../core/oci/registry.ts';

/** Reads them. Throws where one is not a record. */
export async function recordsIn(registry: Registry, projectId: string, buildId: number): Promise<BuildRecord[]> {
  const keys = await listRecordKeys(registry, projectId, buildId);
  return Promise.all(
    keys.map(async key => {
      const reading = await readRecord(registry, key);
      if (reading.kind !== 'record') throw new Error(`${key.tag} is ${reading.kind}`);
      return reading.record;
    }),
  );
}
