/** Writes what it is given as a build record, as somebody can who may push to the repository of records. */
import { createHash } from 'node:crypto';
import { recordType } from '../../../core/lifecycle/build-record.ts';
import type { Estate } from './estate.ts';

/**
 * Puts `content`, or a text that need not even be JSON, under `tag` among the records of a project; `data` is what its
 * manifest says that the content is.
 */
export function forgeRecord(
  estate: Estate,
  tag: string,
  content: unknown,
  { projectId = estate.projectId, data }: { projectId?: string; data?: string } = {},
): void {
  const { world } = estate.acr;
  const repository = `image-lifecycle/builds/${projectId}`;
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  world.putBlob(repository, text);
  world.putBlob(repository, '{}');
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: recordType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...point('{}') },
    layers: [{ mediaType: recordType, ...point(text), ...(data !== undefined && { data }) }],
  };
  world.putManifest(repository, Buffer.from(JSON.stringify(manifest)), { tags: [tag] });
}

function point(bytes: string): { digest: string; size: number } {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size: Buffer.byteLength(bytes) };
}
