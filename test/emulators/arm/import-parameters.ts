/** Reads the body of `importImage`: `ImportImageParameters` of https://github.com/Azure/azure-rest-api-specs */
import { isDigest, isRepositoryName, isTag } from '../acr/content.ts';
import { refuse } from './errors.ts';

/** What is to be imported. */
export interface ImportParameters {
  readonly source: ImportSource;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  readonly targetTags: readonly { readonly repository: string; readonly tag: string }[];
  readonly untaggedTargetRepositories: readonly string[];
  readonly force: boolean;
}

/** Where from: an Azure registry by its id, or any by its address. */
export type ImportSource =
  | { readonly resourceId: string }
  | { readonly registryUri: string; readonly username: string; readonly password: string };

interface Body {
  readonly source?: {
    readonly resourceId?: string;
    readonly registryUri?: string;
    readonly credentials?: { readonly username?: string; readonly password?: string };
    readonly sourceImage?: string;
  };
  readonly targetTags?: readonly string[];
  readonly untaggedTargetRepositories?: readonly string[];
  readonly mode?: string;
}

/** Throws a 400 for a body that Azure would not take. */
export function readImportParameters(json: unknown): ImportParameters {
  const body = (typeof json === 'object' && json !== null ? json : {}) as Body;
  const { targetTags = [], untaggedTargetRepositories = [], mode = 'NoForce' } = body;
  if (mode !== 'NoForce' && mode !== 'Force') throw invalid(`mode ${mode}`);
  if (targetTags.length + untaggedTargetRepositories.length === 0) throw invalid('no target');
  for (const repository of untaggedTargetRepositories) {
    if (!isRepositoryName(repository)) throw invalid(`target repository ${repository}`);
  }
  return {
    source: readSource(body),
    ...readImage(body.source?.sourceImage ?? ''),
    targetTags: targetTags.map(readTag),
    untaggedTargetRepositories,
    force: mode === 'Force',
  };
}

function readSource({ source = {} }: Body): ImportSource {
  const { resourceId, registryUri, credentials } = source;
  if ((resourceId === undefined) === (registryUri === undefined)) throw invalid('source registry');
  if (resourceId !== undefined) return { resourceId };
  const { username = '', password = '' } = credentials ?? {};
  return { registryUri: registryUri ?? '', username, password };
}

/** A tag and a digest together are refused: https://github.com/Azure/azure-cli/issues/16791 */
function readImage(image: string): { repository: string; reference: string } {
  const [, repository = '', tag, digest] = /^([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  const reference = digest ?? tag ?? 'latest';
  const isWhole = isRepositoryName(repository) && (digest === undefined ? isTag(reference) : isDigest(reference));
  if (!isWhole || (tag !== undefined && digest !== undefined)) throw invalid(`source image ${image}`);
  return { repository, reference };
}

function readTag(text: string): { repository: string; tag: string } {
  const [repository = '', tag = '', more] = text.split(':');
  if (!isRepositoryName(repository) || !isTag(tag) || more !== undefined) throw invalid(`target tag ${text}`);
  return { repository, tag };
}

function invalid(what: string): Error {
  return refuse(400, 'InvalidParameters', `The request has an invalid parameter: ${what}.`);
}
