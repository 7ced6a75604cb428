/**
 * What Azure says of a repository, a manifest or a tag: counts and locks.
 * https://learn.microsoft.com/azure/container-registry/container-registry-image-lock
 */
import { AppError, errorMessage } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { errorCodes, type Repository } from '../oci/repository.ts';
import { createSdkClient } from './sdk.ts';

/** The two switches that forbid a deletion. */
export interface Lock {
  readonly canDelete: boolean;
  readonly canWrite: boolean;
}

/** A repository's own account of itself, hidden entries included. */
export interface RepositoryProperties extends Lock {
  readonly manifestCount: number;
  readonly tagCount: number;
}

/** Counts and lock of the repository; undefined where it does not exist. */
export async function readRepositoryProperties(repository: Repository): Promise<RepositoryProperties | undefined> {
  return absentAs404(repository, async () => {
    const client = await createSdkClient(repository.registry, repository.scope);
    const read = await client.getRepository(repository.name).getProperties();
    if (read.name !== repository.name) throw unexpected(repository, `its properties are those of "${read.name}"`);
    return {
      manifestCount: count(read.manifestCount, repository),
      tagCount: count(read.tagCount, repository),
      ...lockOf(read),
    };
  });
}

/** The lock on a manifest; undefined where it does not exist. */
export async function readManifestLock(repository: Repository, digest: Digest): Promise<Lock | undefined> {
  return absentAs404(repository, async () => {
    const client = await createSdkClient(repository.registry, repository.scope);
    const read = await client.getArtifact(repository.name, digest).getManifestProperties();
    if (read.digest !== digest) throw unexpected(repository, `its properties of ${digest} are those of ${read.digest}`);
    return lockOf(read);
  });
}

/** The lock on a tag; undefined where it does not exist. */
export async function readTagLock(repository: Repository, tag: string): Promise<Lock | undefined> {
  return absentAs404(repository, async () => {
    const client = await createSdkClient(repository.registry, repository.scope);
    const read = await client.getArtifact(repository.name, tag).getTagProperties(tag);
    if (read.name !== tag)
      throw unexpected(repository, `its properties of the tag "${tag}" are those of "${read.name}"`);
    return lockOf(read);
  });
}

function lockOf(read: { canDelete?: boolean; canWrite?: boolean }): Lock {
  return { canDelete: read.canDelete !== false, canWrite: read.canWrite !== false };
}

/** The SDK leaves a count out where the answer had none; zero would say "empty". */
function count(value: unknown, repository: Repository): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw unexpected(repository, 'its properties have no counts');
}

async function absentAs404<T>(repository: Repository, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    if (isAbsence(thrown)) return undefined;
    throw new AppError(`${repository.label}: its properties could not be read: ${errorMessage(thrown)}`, {
      code: 'REGISTRY_UNEXPECTED',
      cause: thrown,
    });
  }
}

/** A proxy says 404, too; only the registry says what it does not know. */
function isAbsence(thrown: unknown): boolean {
  const { statusCode, response } = thrown as { statusCode?: unknown; response?: { bodyAsText?: string | null } };
  const codes = errorCodes(Buffer.from(response?.bodyAsText ?? ''));
  return statusCode === 404 && codes.some(code => ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'TAG_UNKNOWN'].includes(code));
}

function unexpected(repository: Repository, why: string): AppError {
  return new AppError(`${repository.label}: ${why}.`, { code: 'REGISTRY_UNEXPECTED' });
}
