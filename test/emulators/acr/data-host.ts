/** The second host, which holds the bytes of blobs and wants a signature in the URL, never credentials. */

import { digestOf } from './content.ts';
import type { Core } from './core.ts';
import { type Answer, type Refusal, refuseWith } from './errors.ts';

const life = 20 * 60_000;

function signatureOf(core: Core, digest: string, expires: string): string {
  return digestOf(`${core.host} ${digest} ${expires}`).slice(7, 39);
}

/** The path and query of a blob there, good for twenty minutes: https://learn.microsoft.com/rest/api/storageservices/create-service-sas */
export function signedPath(core: Core, digest: string): string {
  const [algorithm, hex = ''] = digest.split(':');
  const expires = new Date(core.clock.now() + life).toISOString();
  const query = new URLSearchParams({ se: expires, sig: signatureOf(core, digest, expires), sp: 'r', sr: 'b' });
  return `/registry/docker/registry/v2/blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data?${query.toString()}`;
}

/** The digest that a path there names. */
export function digestInPath(path: string): string | undefined {
  const match = /\/blobs\/(\w+)\/\w\w\/(\w+)\/data$/.exec(path);
  return match === null ? undefined : `${match[1]}:${match[2]}`;
}

function fail(status: number, code: string): Refusal {
  return refuseWith(status, [{ code, message: code }]);
}

function readRange(header: string, size: number): [number, number] | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') return [Math.max(0, size - Number(match[2])), size - 1];
  const start = Number(match[1]);
  const end = match[2] === '' ? size - 1 : Math.min(size - 1, Number(match[2]));
  return start > end ? undefined : [start, end];
}

/** Answers with bytes, whole or in part; whoever sends `Authorization` is refused, as the storage service does. */
export function serveData(
  core: Core,
  url: URL,
  headers: { readonly authorization?: string | undefined; readonly range?: string | undefined },
): Answer {
  if (headers.authorization !== undefined) throw fail(400, 'InvalidAuthenticationInfo');
  const digest = digestInPath(url.pathname) ?? '';
  const expires = url.searchParams.get('se') ?? '';
  const signed = url.searchParams.get('sig') === signatureOf(core, digest, expires);
  if (!signed || !(Date.parse(expires) > core.clock.now())) throw fail(403, 'AuthenticationFailed');
  const bytes = core.world.blobs.read(digest);
  if (bytes === undefined) throw fail(404, 'BlobNotFound');
  const common = { 'Content-Type': 'application/octet-stream', 'Accept-Ranges': 'bytes' };
  if (headers.range === undefined) return { status: 200, headers: common, body: bytes };
  const range = readRange(headers.range, bytes.length);
  if (range === undefined) {
    throw refuseWith(416, [{ code: 'InvalidRange', message: 'InvalidRange' }], {
      'Content-Range': `bytes */${bytes.length}`,
    });
  }
  return {
    status: 206,
    headers: { ...common, 'Content-Range': `bytes ${range[0]}-${range[1]}/${bytes.length}` },
    body: bytes.subarray(range[0], range[1] + 1),
  };
}
