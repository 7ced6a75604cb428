/**
 * What nobody outside Microsoft knows for sure about a live registry, as switches.
 * Each default is what is documented or observed, and where nothing is, what is most dangerous for somebody who deletes.
 */

/** The switches; all of them may be changed while the emulator runs. */
export interface Behaviour {
  /** Deleting a subject deletes its referrers, recursively: https://learn.microsoft.com/azure/container-registry/container-registry-manage-artifact */
  cascadeReferrers: boolean;
  /** The cascade takes referrers that are locked, too (unknown on a live registry). */
  cascadeIgnoresLocks: boolean;
  /** A locked tag protects its manifest from a deletion by digest (unknown on a live registry). */
  tagLockProtectsManifest: boolean;
  /** What `DELETE /v2/N/manifests/TAG` does; unknown on a live registry, whose tools resolve the tag and delete the manifest. */
  deleteByTag: 'manifest' | 'tag' | 'refuse';
  /** Untagging answers with the digest that the tag pointed at. */
  untagDigestHeader: boolean;
  /** `_manifests` names at most so many tags of a manifest: https://github.com/Azure/azure-cli/issues/7438 */
  tagsPerManifest: number;
  /** Pushing a manifest that is there already moves its `lastUpdateTime` (unknown on a live registry). */
  repushMovesTime: boolean;
  /** A repository whose last manifest went stays in the catalog until it is deleted itself. */
  orphanCatalogEntry: boolean;
  /** The referrers API exists; without it clients fall back to the referrers tag schema. */
  referrers: boolean;
  /** `artifactType` in a referrers answer falls back to `config.mediaType`, as the OCI specification demands and ACR does not: https://github.com/Azure/acr/issues/784 */
  referrersConfigType: boolean;
  /** The server filters referrers by `artifactType`. */
  referrersFilter: boolean;
  /** Descriptors on one page of a referrers answer. */
  referrersPage: number;
  /** A manifest is taken though parts of it are missing; only by such a registry can a reader meet a graph with a hole. */
  takesIncomplete: boolean;
  /** An index is 404 for who does not name an index type in `Accept`: https://github.com/Azure/acr/issues/741 */
  indexNeedsAccept: boolean;
  /** Mounting without the right to pull from the other repository is a 401, as in the registry that ACR grew from; otherwise it begins an upload. */
  mountNeedsScope: boolean;
  /** One POST with `digest` and the bytes finishes an upload; otherwise it only starts one (202). */
  monolithicPost: boolean;
  /** Whether PATCH with `Transfer-Encoding: chunked` is taken: https://github.com/goharbor/harbor/issues/23015 saw it refused beside a `Content-Range`. */
  chunkedPatch: 'accept' | 'refuse-with-range' | 'refuse';
  /** Bodies above this are refused with 413: https://github.com/goharbor/harbor/issues/23015 saw about 20 MB. Off, because skopeo sends a layer as one body. */
  maxBodyBytes: number;
  /** Milliseconds between the end of the last reference to a blob and the end of its bytes. */
  blobGarbageDelay: number;
  /** Anybody may pull: https://learn.microsoft.com/azure/container-registry/anonymous-pull-access */
  anonymousPull: boolean;
  /** Audiences of Entra tokens that `/oauth2/exchange` takes. */
  entraAudiences: readonly string[];
  /** Refresh and access tokens live this long, in milliseconds. */
  refreshTokenLife: number;
  accessTokenLife: number;
}

const minute = 60_000;

/** The switches as a registry of today is believed to be. */
export function createBehaviour(changes: Partial<Behaviour> = {}): Behaviour {
  return {
    cascadeReferrers: true,
    cascadeIgnoresLocks: true,
    tagLockProtectsManifest: false,
    deleteByTag: 'manifest',
    untagDigestHeader: true,
    tagsPerManifest: Number.POSITIVE_INFINITY,
    repushMovesTime: false,
    orphanCatalogEntry: false,
    referrers: true,
    referrersConfigType: false,
    referrersFilter: true,
    referrersPage: 100,
    takesIncomplete: false,
    indexNeedsAccept: true,
    mountNeedsScope: true,
    monolithicPost: false,
    chunkedPatch: 'refuse-with-range',
    maxBodyBytes: Number.POSITIVE_INFINITY,
    blobGarbageDelay: 0,
    anonymousPull: false,
    entraAudiences: ['https://containerregistry.azure.net', 'https://containerregistry.azure.net/'],
    refreshTokenLife: 180 * minute,
    accessTokenLife: 75 * minute,
    ...changes,
  };
}
