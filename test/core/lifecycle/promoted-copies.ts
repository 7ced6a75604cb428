/** What a promotion leaves in a registry: images under the build's tag, and a record that says where they came from. */

import { type RecordedImage, writeRecord } from '../../../core/lifecycle/build-record.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import type { Registry } from '../../../core/oci/registry.ts';
import type { AcrEmulator } from '../../emulators/acr/acr.ts';
import { type Estate, requestOf } from './estate.ts';

/** An image that is in the registry already, by its digest. */
export interface Copy {
  readonly repository: string;
  readonly digest: string;
}

/** What to leave, for which build. */
export interface Promotion {
  readonly copies: readonly Copy[];
  readonly charts?: readonly (Copy & { readonly version: string })[];
  /** What the pipeline had said in the record that was promoted. */
  readonly onBuildDeleted?: 'delete' | 'keep';
  /** In another registry than the estate's. */
  readonly into?: { readonly acr: AcrEmulator; readonly registry: Registry };
}

/** Records copies and tags them; gives the record's tag. A chart gets its version as its tag alone. */
export async function leavePromotion(estate: Estate, buildId: number, promotion: Promotion): Promise<string> {
  const { acr, registry } = promotion.into ?? { acr: estate.acr, registry: estate.connect() };
  const { build } = requestOf(estate, buildId, [], {});
  const { copies, charts = [], onBuildDeleted = 'delete' } = promotion;
  const record = await writeRecord(registry, {
    build,
    images: copies.map(copy => describe(acr, copy, String(buildId))),
    charts: charts.map(({ version, ...copy }) => ({ ...describe(acr, copy, version), name: 'shop', version })),
    onBuildDeleted,
    promotedFrom: 'ci.azurecr.io',
    promotedBy: { projectId: build.projectId, definitionId: 77, runId: 4711, stage: 'prod' },
    createdAt: new Date(acr.clock.now()).toISOString(),
  });
  for (const { repository, digest } of copies) acr.world.tag(repository, String(buildId), digest);
  for (const { repository, digest, version } of charts) acr.world.tag(repository, version, digest);
  return record.tag;
}

function describe(acr: AcrEmulator, { repository, digest }: Copy, tag: string): RecordedImage {
  const entry = acr.world.manifest(repository, digest);
  if (!entry) throw new Error(`no ${repository}@${digest}`);
  const { subject, manifests = [] } = entry.document;
  return {
    repository,
    digest: digest as Digest,
    mediaType: entry.mediaType,
    size: entry.bytes.length,
    children: manifests.map(child => child.digest as Digest),
    subject: subject?.digest as Digest | undefined,
    tags: [tag],
  };
}
