/**
 * What `importImage` does to two registries: https://learn.microsoft.com/azure/container-registry/container-registry-import-images
 * Children of an index go with it; referrers do not. By tag it races: what the tag names when the import ends is what the
 * target's tag is put on, and what it named at the beginning is what was copied: https://github.com/Azure/azure-cli/issues/29974
 */
import { randomUUID } from 'node:crypto';
import { blobsOf } from '../acr/content.ts';
import { Refusal as AcrRefusal } from '../acr/errors.ts';
import { checkPush, checkRead } from '../acr/locks.ts';
import { enterOrders, type ManifestEntry, unlocked } from '../acr/repository.ts';
import type { World } from '../acr/world.ts';
import type { ImportParameters } from './import-parameters.ts';
import type { ArmRegistry, ArmWorld, Operation, OperationError } from './world.ts';

/** An import that may begin: who asks has its rights. `source` is missing where Azure cannot reach or read it. */
export interface AllowedImport {
  readonly parameters: ImportParameters;
  readonly source: World | OperationError;
  readonly target: ArmRegistry;
}

const maxManifests = 50;

/** Begins an import; what goes wrong from here on, goes wrong in the operation. */
export function beginImport(world: ArmWorld, allowed: AllowedImport): Operation {
  const { behaviour } = world;
  const begun = begin(allowed);
  const operation: Operation = {
    id: `registries-${randomUUID()}`,
    registry: allowed.target,
    parameters: allowed.parameters,
    status: 'Running',
    pollsLeft: behaviour.outcome === 'stuck' ? Number.POSITIVE_INFINITY : behaviour.polls,
    complete: () => {
      if (operation.status !== 'Running') return;
      const failed = typeof behaviour.outcome === 'object' ? behaviour.outcome : end(world, allowed, begun);
      operation.status = failed === undefined ? 'Succeeded' : 'Failed';
      if (failed !== undefined) operation.error = { ...failed, message: describe(operation, failed.message) };
    },
  };
  world.operations.push(operation);
  if (operation.pollsLeft === 0) operation.complete();
  return operation;
}

/** As recorded in https://github.com/Azure/azure-cli/pull/10938 */
function describe({ id, registry }: Operation, message: string): string {
  return `Operation ${id} failed. Resource ${registry.resourceId} ${message}`;
}

interface Begun {
  readonly source: World;
  readonly manifests: readonly ManifestEntry[];
}

/** Everything that is found out before a byte is copied. */
function begin({ parameters, source, target }: AllowedImport): Begun | OperationError {
  if ('status' in source) return source;
  if (!parameters.force) {
    for (const { repository, tag } of parameters.targetTags) {
      if (!(tag in target.acr.world.tags(repository))) continue;
      const message = `${repository}:${tag} Tag ${repository}:${tag} already exists in target registry.`;
      return { status: 409, code: 'Conflict', message };
    }
  }
  return guarded(() => {
    const { repository, reference } = parameters;
    const manifests = collect(source, repository, reference);
    if ('status' in manifests) return manifests;
    if (manifests.length <= maxManifests) return { source, manifests };
    const message = `The image ${repository} has ${manifests.length} manifests. The maximum number of manifests is ${maxManifests}.`;
    return invalid(message);
  });
}

/** The manifest and all below it, children first. */
function collect(world: World, repository: string, reference: string): ManifestEntry[] | OperationError {
  const found = new Map<string, ManifestEntry>();
  const visit = (wanted: string): OperationError | undefined => {
    if (found.has(wanted)) return undefined;
    const entry = world.manifest(repository, wanted);
    const held = world.repository(repository);
    if (entry === undefined || held === undefined) return manifestUnknown(wanted);
    checkRead(held, entry, wanted);
    for (const child of entry.document.manifests ?? []) {
      const failed = visit(child.digest);
      if (failed !== undefined) return failed;
    }
    found.set(entry.digest, entry);
    return undefined;
  };
  return visit(reference) ?? [...found.values()];
}

function end(
  { behaviour }: ArmWorld,
  allowed: AllowedImport,
  begun: Begun | OperationError,
): OperationError | undefined {
  if ('status' in begun) return begun;
  if (behaviour.outcome === 'empty') return undefined;
  const { parameters, target } = allowed;
  const root = begun.manifests.at(-1)?.digest ?? '';
  const failed = guarded(() => {
    const names = [...parameters.targetTags.map(each => each.repository), ...parameters.untaggedTargetRepositories];
    for (const name of new Set(names)) {
      checkPush(target.acr.world.repository(name));
      copy(
        { ...begun, manifests: begun.manifests.filter(each => !behaviour.omits.includes(each.digest)) },
        allowed,
        name,
      );
    }
    const now = begun.source.digest(parameters.repository, parameters.reference) ?? root;
    for (const { repository, tag } of parameters.targetTags) {
      checkPush(target.acr.world.repository(repository), tag);
      putTag(target.acr.world, repository, tag, now);
    }
    return undefined;
  });
  return failed;
}

function copy({ source, manifests }: Begun, { target }: AllowedImport, name: string): void {
  const { world } = target.acr;
  for (const { bytes, mediaType, document } of manifests) {
    for (const { digest } of blobsOf(document)) {
      const blob = source.blobs.read(digest);
      // Layers that may not be distributed are not there to copy.
      if (blob !== undefined) world.putBlob(name, blob);
    }
    world.putManifest(name, bytes, { mediaType });
  }
}

/** A tag may be left on what is not there; the registry's own functions would not do that. */
function putTag(world: World, name: string, tag: string, digest: string): void {
  if (world.has(name, digest)) return world.tag(name, tag, digest);
  world.untag(name, tag);
  const repository = world.repository(name);
  const time = (repository?.lastUpdateTime ?? 0) + 1;
  repository?.tags.set(tag, { name: tag, digest, createdTime: time, lastUpdateTime: time, attributes: unlocked() });
  if (repository) enterOrders(repository.tagOrders, tag, time);
}

function guarded<T>(work: () => T | OperationError): T | OperationError {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof AcrRefusal)) throw thrown;
    return invalid(`Invalid message Forbidden Forbidden ${JSON.stringify(thrown.answer.body)}`);
  }
}

/** What a target is told by a source whose firewall does not know it: https://github.com/MicrosoftDocs/azure-docs/issues/115975 */
export const unreachable: OperationError = {
  status: 400,
  code: 'InvalidParameters',
  message:
    'Invalid message Forbidden Forbidden {"errors":[{"code":"DENIED","message":"client with IP \'10.0.0.1\' is not allowed access. Refer https://aka.ms/acr/firewall to grant access."}]}',
};

/** What a target is told by a source that the caller may not pull from: https://github.com/Azure/acr/issues/571 */
export function deniedBySource(loginServer: string): OperationError {
  return invalid(`Access to ${loginServer} denied.`);
}

function manifestUnknown(reference: string): OperationError {
  return invalid(
    `Invalid message NotFound NotFound {"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest ${reference} is not found"}]}`,
  );
}

function invalid(message: string): OperationError {
  return { status: 400, code: 'InvalidParameters', message };
}
