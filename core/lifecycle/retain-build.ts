/** Keeps a build while a stage may run it: the retention lease that a promotion takes before it copies. */
import { type AddedLease, addLease } from '../azure-devops/leases.ts';
import { computeDigest } from '../oci/digest.ts';
import type { Surroundings } from './surroundings.ts';

/** Who holds builds: a stage's registry, filled by a stage of a pipeline. Two that differ in anything never share a lease. */
export interface LeaseOwner {
  /** The host of the stage's registry. */
  readonly registry: string;
  readonly stage: string;
  /** The pipeline that deploys. Ids of YAML pipelines and of classic releases are counted apart. */
  readonly deployedBy: {
    readonly kind: 'pipeline' | 'release';
    readonly projectId: string;
    readonly definitionId: number;
  };
}

/** The build to keep, and for whom. */
export interface RetainRequest {
  readonly owner: LeaseOwner;
  /** The project of the build. */
  readonly projectId: string;
  readonly definitionId: number;
  readonly buildId: number;
}

/** What the verbs of leases work with. */
export type LeaseDeps = Pick<Surroundings, 'azureDevOps' | 'log'>;

/**
 * A lease must not run out under a stage that is not deployed to for years, and it is freed when others have taken its
 * place. One day more, and Azure DevOps shows the build as kept "forever", which is what a person says of a build.
 * https://learn.microsoft.com/rest/api/azure/devops/build/leases/add#newretentionlease
 */
const daysValid = 36_500;
/** No limit is documented; the name is shown to people, and this is what it was seen to have room for. */
const longestName = 400;

/** Takes a lease on the build for its owner; one more where it has some already, so that the build counts as new. */
export async function retainBuild({ azureDevOps, log }: LeaseDeps, request: RetainRequest): Promise<AddedLease> {
  const { owner, projectId, definitionId, buildId } = request;
  const ownerId = nameOwner(owner);
  const result = await addLease(azureDevOps, { projectId, definitionId, buildId, ownerId, daysValid });
  if (result.kind === 'added') {
    log.info(`Retained build ${buildId} of project ${projectId} by the lease ${result.lease.leaseId} of ${ownerId}.`);
  }
  return result;
}

/** The owner as leases name it, for people to read; another owner has another name. At most 400 characters. */
export function nameOwner({ registry, stage, deployedBy }: LeaseOwner): string {
  const { projectId, kind, definitionId } = deployedBy;
  const pipeline = `${projectId.toLowerCase()}.${kind}.${definitionId}`;
  // A stage of a classic release may be called anything, colons included.
  const name = `ImageLifecycle:${registry.toLowerCase()}:${encodeURIComponent(stage)}:${pipeline}`;
  if (name.length <= longestName) return name;
  // No whole name holds a "#", so that none is the same as one that was cut.
  const hash = computeDigest(Buffer.from(name)).replace('sha256:', '#');
  return `${name.slice(0, longestName - hash.length)}${hash}`;
}

/** Who took a lease, by the name that {@link nameOwner} gave; undefined for a name that was cut, and for other owners. */
export function parseOwner(ownerId: string): LeaseOwner | undefined {
  const pattern = /^ImageLifecycle:([^:]+(?::\d+)?):([^:]*):([0-9a-f-]{36})\.(pipeline|release)\.([1-9]\d{0,14})$/;
  const [, registry, stage = '', projectId = '', kind, definition] = pattern.exec(ownerId) ?? [];
  if (registry === undefined) return undefined;
  const deployedBy = {
    kind: kind === 'release' ? kind : 'pipeline',
    projectId,
    definitionId: Number(definition),
  } as const;
  const owner = { registry, stage: decodeStage(stage), deployedBy };
  // What would be named otherwise is not of ours.
  return nameOwner(owner) === ownerId ? owner : undefined;
}

function decodeStage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
