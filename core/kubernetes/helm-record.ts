/** One revision of a Helm release, as Helm stores it in a cluster. https://github.com/helm/helm/blob/v4.2.4/pkg/storage/driver/util.go */
import * as z from 'zod';
import { errorMessage } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { gunzip } from '../helm/gzip.ts';
import { toJson, toPlain } from '../helm/values.ts';
import { parseYaml } from '../helm/yaml-text.ts';
import type { ReadyResource } from './custom-resources.ts';
import { describeFault } from './fault.ts';
import { findImages } from './find-images.ts';
import { followJsonPath } from './json-path.ts';

/** What a revision says. */
export interface HelmRecord {
  readonly name: string;
  readonly revision: number;
  readonly status: string;
  /** Of the manifest and of all hooks: a rollback runs those of the revision that it goes back to. */
  readonly images: readonly string[];
}

/** A Secret or a ConfigMap has 1 MiB, which is compressed; real ones are some ten times as large. */
const maxRecordBytes = 64 * 1024 * 1024;

const release = z.object({
  name: z.string().min(1),
  version: z.number().int().positive(),
  info: z.object({ status: z.string().min(1) }),
  manifest: z.string().default(''),
  hooks: z.array(z.object({ manifest: z.string().default('') })).nullish(),
});

/**
 * Reads what Helm wrote, as base64 of gzip of JSON; a Secret has base64 around it once more, which the caller took off.
 * In objects of the groups of `resources` their paths are followed, too. Throws a plain error, with a clause for what is
 * wrong and no word of the content.
 */
export function readHelmRecord(encoded: string, resources: readonly ReadyResource[]): HelmRecord {
  const read = release.safeParse(parseJson(decode(encoded)));
  if (!read.success) throw new Error(`it is not as expected: ${describeFault(read.error)}`);
  const { name, version, info, manifest, hooks } = read.data;
  const manifests = [manifest, ...(hooks ?? []).map(each => each.manifest)];
  const images = new Set(manifests.flatMap(each => listManifestImages(each, resources)));
  return { name, revision: version, status: info.status, images: [...images].sort() };
}

/** The first versions of Helm 3 did not compress, and Helm still reads that. */
function decode(encoded: string): Uint8Array {
  const text = encoded.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new Error('it is no base64');
  const bytes = Buffer.from(text, 'base64');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const part of gunzip(bytes)) {
    size += part.byteLength;
    if (size > maxRecordBytes) throw new Error(`it has more than ${maxRecordBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** The images of rendered manifests. Throws for what is not YAML. */
function listManifestImages(manifests: string, resources: readonly ReadyResource[]): string[] {
  const groups = resources.map(each => `${each.group}/`);
  return manifests.split(/^---(?=\s|$)/m).flatMap((text, at) => {
    // Most manifests hold no image, and reading them takes most of the time. A key may be written with escapes.
    if (!/image|\\/.test(text) && !groups.some(group => text.includes(group))) return [];
    try {
      const { root } = parseYaml(text, `document ${at}`);
      const object = root ? toJson(toPlain(root)) : undefined;
      return [...findImages(object), ...followResources(object, resources)];
    } catch (thrown) {
      // What to mend there is the chart's, and of a revision nothing can be mended.
      const [why = ''] = errorMessage(thrown).split('. ', 1);
      throw new Error(`its manifest cannot be read: ${why}`, { cause: thrown });
    }
  });
}

/** A manifest tells its kind, and not the resource; so whatever is of the group is looked through. */
function followResources(object: unknown, resources: readonly ReadyResource[]): string[] {
  const { apiVersion } = (object ?? {}) as { apiVersion?: unknown };
  return resources
    .filter(({ group }) => String(apiVersion).startsWith(`${group}/`))
    .flatMap(({ paths }) => paths.flatMap(path => followJsonPath(path, object)))
    .filter(value => typeof value === 'string' && value !== '') as string[];
}
