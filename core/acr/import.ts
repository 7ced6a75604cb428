/**
 * Server-side import: one registry of Azure copies from another, and not a byte passes through here.
 * https://learn.microsoft.com/rest/api/container-registry/registries/import-image
 *
 * Azure's own import has traps, and each is met here:
 * - by tag it races with whoever moves the tag: only digests are imported, and no tag is named, so none can be touched;
 * - it reports success for what is not there, and may never end: the target is asked, by digest, for each manifest;
 * - it may be refused in many ways: every one is a value, because copying through this machine is always right.
 *   An import that was given up may go on for hours. It can only bring the same bytes under the same digests, with no tag.
 */
import { createLimit, type Limit, mapConcurrently } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { HttpAnswer } from '../oci/http.ts';
import { headManifest } from '../oci/manifests.ts';
import type { Repository } from '../oci/repository.ts';
import { type Arm, describeRefusal, readArmError, registryApiVersion } from './arm.ts';
import type { ArmRegistry } from './arm-registry.ts';
import { followOperation, type OperationEnd } from './import-operation.ts';

/** How an import ended. Where it was declined, what is in the target may be nothing, a part or all. */
export type Import =
  | { readonly kind: 'imported' }
  | {
      readonly kind: 'declined';
      readonly reason: string;
      /** Any other graph between the two registries is declined, too, with this same object: Azure is asked no more. */
      readonly isFinal: boolean;
    };

/** A graph to import. */
export interface ImportRequest {
  readonly source: Repository;
  readonly target: Repository;
  /** Its manifests: the root first, then every child. */
  readonly graph: readonly [root: Digest, ...children: Digest[]];
}

/** Imports graphs between two registries. Throws `REGISTRY_UNEXPECTED` where Azure reports success for what is not there. */
export type Importer = (request: ImportRequest) => Promise<Import>;

/** What an importer works with. The identity of `arm` needs its rights on both registries. */
export interface ImporterOptions {
  readonly arm: Arm;
  readonly source: ArmRegistry;
  readonly target: ArmRegistry;
  /** Through which every request goes; it throws where the whole run is to end. */
  readonly request?: Limit;
  /** For one graph; 15 minutes unless told. */
  readonly timeLimitMs?: number;
}

/** https://learn.microsoft.com/azure/container-registry/container-registry-import-images#limitations */
const maxManifests = 50;
/** Azure throttles who begins many, and has left some of eight in a row "Running" for an hour. */
const importsAtOnce = 4;
const headsAtOnce = 8;
/** What was imported may show a little later: a registry may be geo-replicated. */
const replicationMs = 30_000;
/** How long the target is watched where the operation cannot be. */
const watchMs = 120_000;

/** Makes an importer; nothing is sent yet. */
export function createImporter(options: ImporterOptions): Importer {
  const limit = createLimit(importsAtOnce);
  const whole: Whole = { timeLimitMs: 15 * 60_000, request: work => work(), ...options };
  let final: Import | undefined;
  return async request => {
    if (request.graph.length > maxManifests) {
      return declined(`it holds ${request.graph.length} manifests, and Azure imports at most ${maxManifests}`, false);
    }
    return limit(async () => {
      const ended = final ?? (await importGraph(whole, request));
      if (ended.kind === 'imported' || !ended.isFinal) return ended;
      return (final ??= ended);
    });
  };
}

type Whole = Required<ImporterOptions>;

async function importGraph(options: Whole, { source, target, graph }: ImportRequest): Promise<Import> {
  const { arm, request } = options;
  const deadline = arm.http.clock.now() + options.timeLimitMs;
  const asked = await request(() =>
    arm.ask({
      method: 'POST',
      path: `${options.target.resourceId}/importImage?api-version=${registryApiVersion}`,
      body: {
        source: { resourceId: options.source.resourceId, sourceImage: `${source.name}@${graph[0]}` },
        untaggedTargetRepositories: [target.name],
        mode: 'NoForce',
      },
    }),
  );
  if ('failed' in asked) return declined(asked.failed, true);
  const { answer } = asked;
  if (answer.status >= 300) return refusal(options, answer);
  const end: OperationEnd =
    answer.status === 202 ? await followOperation({ arm, request, deadline }, answer) : { kind: 'succeeded' };
  const missing = await awaitManifests(options, { source, target, graph }, patience[end.kind]);
  return missing.length === 0 ? { kind: 'imported' } : judge(end, { source, target, graph }, missing);
}

const patience: Readonly<Record<OperationEnd['kind'], number>> = {
  succeeded: replicationMs,
  lostSight: watchMs,
  // Another promotion, or an attempt whose answer was lost, may have brought it meanwhile.
  failed: 0,
  unfinished: 0,
};

/** Looks for the manifests in the target, again and again for `patienceMs`; gives those that are not there. */
async function awaitManifests(
  { arm, request }: Whole,
  { target, graph }: ImportRequest,
  patienceMs: number,
): Promise<readonly Digest[]> {
  const { clock } = arm.http;
  const end = clock.now() + patienceMs;
  let missing: readonly Digest[] = graph;
  for (let pause = 1000; ; pause = Math.min(pause * 2, 10_000)) {
    const heads = await mapConcurrently(missing, headsAtOnce, digest => request(() => headManifest(target, digest)));
    missing = missing.filter((_, at) => heads[at] === undefined);
    if (missing.length === 0 || clock.now() >= end) return missing;
    await clock.sleep(pause);
  }
}

function judge(end: OperationEnd, { source, target, graph }: ImportRequest, missing: readonly Digest[]): Import {
  switch (end.kind) {
    case 'succeeded':
      throw new AppError(
        `Azure reported that ${source.label}@${graph[0]} was imported into ${target.label}, but ${missing.length} of ${graph.length} manifests are not there, ${missing[0]} among them. Nothing was tagged. Copy it through the agent instead.`,
        { code: 'REGISTRY_UNEXPECTED', retryable: true },
      );
    case 'failed':
      return declined(`the import failed, ${end.reason}`, isAboutAccess(end.reason));
    case 'lostSight':
      return declined(`${end.reason}, and the image did not show in the target meanwhile`, true);
    case 'unfinished':
      return declined('the import did not end in time', true);
  }
}

/** Where the target may not read the source, for a firewall or a missing role, it may read nothing of it. */
function isAboutAccess(reason: string): boolean {
  return /denied|forbidden|unauthorized|authentication required|not allowed/i.test(reason);
}

const role = 'Grant it the role "Container Registry Data Importer and Data Reader" on both registries';

function refusal({ source, target }: Whole, answer: HttpAnswer): Import {
  const words = describeRefusal(answer);
  if (answer.status === 403) {
    const linked = readArmError(answer.bytes).startsWith('LinkedAuthorizationFailed');
    const lacks = linked
      ? `read ${source.loginServer} ("Microsoft.ContainerRegistry/registries/read")`
      : `import into ${target.loginServer} ("Microsoft.ContainerRegistry/registries/importImage/action")`;
    return declined(`the identity of the target's connection may not ${lacks}: ${words}. ${role}`, true);
  }
  // What is wrong with this one image is not wrong with the next.
  return declined(`the import was refused, ${words}`, answer.status !== 400 && answer.status !== 409);
}

function declined(reason: string, isFinal: boolean): Import {
  return { kind: 'declined', reason, isFinal };
}
