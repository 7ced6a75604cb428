/** Upload sessions: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
import { randomUUID } from 'node:crypto';

/** One upload that has begun. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly chunks: Buffer[];
  size: number;
}

/** The uploads under way. */
export interface Uploads {
  start(repository: string): Upload;
  find(repository: string, id: string): Upload | undefined;
  end(upload: Upload): void;
  /** How many are under way. */
  count(): number;
}

/** Makes an empty set of uploads. */
export function createUploads(): Uploads {
  const uploads = new Map<string, Upload>();
  return {
    start: repository => {
      const upload: Upload = { id: randomUUID(), repository, chunks: [], size: 0 };
      uploads.set(upload.id, upload);
      return upload;
    },
    find: (repository, id) => {
      const upload = uploads.get(id);
      return upload?.repository === repository ? upload : undefined;
    },
    end: upload => {
      uploads.delete(upload.id);
    },
    count: () => uploads.size,
  };
}

/** What a live registry puts into the query of an upload's location; a client that drops it has lost the upload. */
function writeState(upload: Upload): string {
  const state = { Name: upload.repository, UUID: upload.id, Offset: upload.size };
  return Buffer.from(JSON.stringify(state)).toString('base64url');
}

/** The relative location of an upload, as recorded from a live registry. */
export function locationOf(upload: Upload): string {
  return `/v2/${upload.repository}/blobs/uploads/${upload.id}?_nouploadcache=false&_state=${writeState(upload)}`;
}

/** Whether a `_state` was given out for this upload, at whatever offset. */
export function isStateOf(upload: Upload, state: string | null): boolean {
  try {
    const read = JSON.parse(Buffer.from(state ?? '', 'base64url').toString()) as { UUID?: string };
    return read.UUID === upload.id;
  } catch {
    return false;
  }
}
