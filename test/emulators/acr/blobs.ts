/** Blobs and their uploads: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
import { allows } from './access.ts';
import { algorithmOf, digestOf, isDigest, isRepositoryName } from './content.ts';
import type { Call } from './core.ts';
import { signedPath } from './data-host.ts';
import { type Answer, digestInvalid, refuse, refuseWith } from './errors.ts';
import { checkPush, checkRead } from './locks.ts';
import { isStateOf, locationOf, type Upload } from './uploads.ts';

function readBlob(call: Call): Buffer {
  if (!isDigest(call.reference)) throw digestInvalid(call.reference);
  const repository = call.core.world.repository(call.repository);
  const bytes = repository?.blobs.has(call.reference) ? call.core.world.blobs.read(call.reference) : undefined;
  if (repository === undefined || bytes === undefined) {
    throw refuse(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { digest: call.reference });
  }
  checkRead(repository);
  return bytes;
}

/** HEAD: whether the repository has the blob. */
export function headBlob(call: Call): Answer {
  const bytes = readBlob(call);
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    'Docker-Content-Digest': call.reference,
  };
  return { status: 200, headers, body: bytes };
}

/** GET: never the bytes, but where to fetch them, without credentials: https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints */
export function getBlob(call: Call): Answer {
  readBlob(call);
  const location = `https://${call.core.dataHost}${signedPath(call.core, call.reference)}`;
  return {
    status: 307,
    headers: {
      Location: location,
      'Content-Type': 'text/html; charset=utf-8',
      'Docker-Content-Digest': call.reference,
    },
    body: `<a href="${location.replaceAll('&', '&amp;')}">Temporary Redirect</a>.\n\n`,
  };
}

/** DELETE: takes the blob out of this repository. */
export function deleteBlob(call: Call): Answer {
  readBlob(call);
  call.core.world.unlinkBlob(call.repository, call.reference);
  return { status: 202, headers: { 'Docker-Content-Digest': call.reference } };
}

function created(call: Call, digest: string): Answer {
  return {
    status: 201,
    headers: { Location: `/v2/${call.repository}/blobs/${digest}`, 'Docker-Content-Digest': digest },
  };
}

function progress(upload: Upload, status: number): Answer {
  return {
    status,
    headers: {
      Location: locationOf(upload),
      Range: `0-${Math.max(0, upload.size - 1)}`,
      'Docker-Upload-UUID': upload.id,
    },
  };
}

/** A mount that cannot be done is no error: it begins an upload. */
function mount(call: Call): Answer | undefined {
  const digest = call.query.get('mount');
  const from = call.query.get('from');
  const { world } = call.core;
  if (digest === null || from === null || !isDigest(digest)) return undefined;
  if (!allows(call.access?.rights ?? [], 'pull', from)) return undefined;
  if (!world.repository(from)?.blobs.has(digest) || !world.linkBlob(call.repository, digest)) return undefined;
  return created(call, digest);
}

/** POST: begins an upload, mounts a blob, or takes one whole where that switch is on. */
export async function startUpload(call: Call): Promise<Answer> {
  if (!isRepositoryName(call.repository)) throw refuse(400, 'NAME_INVALID', 'invalid repository name');
  checkPush(call.core.world.repository(call.repository));
  const mounted = mount(call);
  if (mounted !== undefined) return mounted;
  const bytes = await call.body();
  const digest = call.query.get('digest');
  if (digest !== null && call.core.behaviour.monolithicPost) return store(call, bytes, digest);
  return progress(call.core.uploads.start(call.repository), 202);
}

function findUpload(call: Call): Upload {
  const upload = call.core.uploads.find(call.repository, call.reference);
  if (upload === undefined || !isStateOf(upload, call.query.get('_state'))) {
    throw refuse(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { upload: call.reference });
  }
  checkPush(call.core.world.repository(call.repository));
  return upload;
}

function checkTransfer(call: Call): void {
  const { headers } = call.request;
  const mode = call.core.behaviour.chunkedPatch;
  if (headers['transfer-encoding'] === undefined || mode === 'accept') return;
  if (mode === 'refuse-with-range' && headers['content-range'] === undefined) return;
  throw refuse(400, 'CONTENT_LENGTH_INVALID', 'failed to parse Content-Length');
}

/** The form is `a-b`, without a unit: https://github.com/dotnet/sdk-container-builds/pull/258 */
function checkRange(call: Call, upload: Upload, length: number): void {
  const range = call.request.headers['content-range'];
  if (range === undefined) return;
  const match = /^(\d+)-(\d+)$/.exec(range);
  if (match === null) throw refuse(400, 'BLOB_UPLOAD_INVALID', 'blob upload invalid', `Content-Range ${range}`);
  const [start, end] = [Number(match[1]), Number(match[2])];
  if (start !== upload.size) {
    const { headers = {} } = progress(upload, 416);
    throw refuseWith(416, [{ code: 'RANGE_INVALID', message: 'invalid content range', detail: range }], headers);
  }
  if (end - start + 1 !== length) throw refuse(400, 'SIZE_INVALID', 'provided length did not match content length');
}

async function append(call: Call, upload: Upload): Promise<void> {
  const bytes = await call.body();
  checkRange(call, upload, bytes.length);
  if (bytes.length === 0) return;
  upload.chunks.push(bytes);
  upload.size += bytes.length;
}

/** PATCH: adds a chunk. */
export async function patchUpload(call: Call): Promise<Answer> {
  const upload = findUpload(call);
  checkTransfer(call);
  await append(call, upload);
  return progress(upload, 202);
}

function store(call: Call, bytes: Buffer, digest: string): Answer {
  if (!isDigest(digest) || digestOf(bytes, algorithmOf(digest)) !== digest) throw digestInvalid(digest);
  call.core.world.putBlob(call.repository, bytes, algorithmOf(digest));
  return created(call, digest);
}

/** PUT: adds what its body holds, and ends the upload if the digest is right. */
export async function finishUpload(call: Call): Promise<Answer> {
  const upload = findUpload(call);
  await append(call, upload);
  call.core.uploads.end(upload);
  return store(call, Buffer.concat(upload.chunks), call.query.get('digest') ?? '');
}

/** GET: how far it is. */
export function uploadStatus(call: Call): Answer {
  return progress(findUpload(call), 204);
}

/** DELETE: gives it up. */
export function cancelUpload(call: Call): Answer {
  call.core.uploads.end(findUpload(call));
  return { status: 204 };
}
