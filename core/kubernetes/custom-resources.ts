/** Images in objects that Kubernetes does not know itself: whoever wrote the configuration says where they stand. */
import * as z from 'zod';
import { inputError, withContext } from '../base/errors.ts';
import type { Reading } from '../base/reading.ts';
import type { KubernetesApi } from './api.ts';
import { describeFault } from './fault.ts';
import { followJsonPath, type JsonPath, parseJsonPath } from './json-path.ts';
import { readList } from './list.ts';
import type { UseFact } from './usage.ts';

/** A resource that is listed, and where its objects name images. */
export interface CustomResource {
  /** `argoproj.io`. */
  readonly group: string;
  readonly version: string;
  /** The plural, as in URLs: `workflows`. */
  readonly resource: string;
  /** Paths as `parseJsonPath` takes them. */
  readonly images: readonly string[];
}

/** One whose paths were read. */
export interface ReadyResource extends Omit<CustomResource, 'images'> {
  readonly paths: readonly JsonPath[];
}

/** Reads the paths. Throws `INPUT_INVALID`, naming the resource, for one that cannot be followed, and where there is none. */
export function readyResource({ group, version, resource, images }: CustomResource): ReadyResource {
  if (images.length === 0) throw inputError(`${resource}.${group}: no path says where its images stand. Give one.`);
  try {
    return { group, version, resource, paths: images.map(parseJsonPath) };
  } catch (thrown) {
    throw withContext(`${resource}.${group}`, thrown);
  }
}

const object = z.looseObject({ metadata: z.object({ name: z.string().min(1), namespace: z.string().default('') }) });

/** Reads all of them. A resource that the cluster does not have is unread: a name that is misspelt is not "none". */
export async function readCustomResources(
  api: KubernetesApi,
  resources: readonly ReadyResource[],
): Promise<Reading<UseFact>> {
  const items: UseFact[] = [];
  for (const resource of resources) {
    const read = await readResource(api, resource);
    if (read.kind === 'unread') return read;
    for (const use of read.items) items.push(use);
  }
  return { kind: 'whole', items };
}

async function readResource(api: KubernetesApi, custom: ReadyResource): Promise<Reading<UseFact>> {
  const { group, version, resource, paths } = custom;
  const label = `${resource}.${group}`;
  const read = await readList(api, {
    group,
    version,
    resource,
    pageSize: 500,
    read: each => usesOf(each, label, paths),
  });
  if (read.kind === 'unread' || read.objects === 0 || read.items.length > 0) return read;
  const named = paths.map(each => each.text).join(' or ');
  return {
    kind: 'unread',
    reason: `${label} of ${api.server}: none of the ${read.objects} that are there has anything at ${named}: correct the path, or take the resource out`,
  };
}

function usesOf(each: unknown, label: string, paths: readonly JsonPath[]): Reading<UseFact> {
  const read = object.safeParse(each);
  if (!read.success) return { kind: 'unread', reason: `one is not as expected: ${describeFault(read.error)}` };
  const { namespace, name } = read.data.metadata;
  const where = `${label} ${namespace === '' ? '' : `${namespace}/`}${name}`;
  const images = new Set<string>();
  for (const path of paths) {
    for (const value of followJsonPath(path, each)) {
      if (value === null || value === '') continue;
      if (typeof value !== 'string') return { kind: 'unread', reason: `${path.text} of ${where} is no text` };
      images.add(value);
    }
  }
  return { kind: 'whole', items: [...images].map(image => ({ image, where })) };
}
