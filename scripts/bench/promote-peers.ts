/** Who else copies images from registry to registry, each as processes of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mapConcurrently } from '../../core/base/concurrency.ts';
import type { PromoteOrder } from './promote-client.ts';

const execute = promisify(execFile);

/** Copies everything of an order, by its tags. */
export type Peer = (order: PromoteOrder) => Promise<void>;

/** skopeo, one process for each image, so many at a time. */
export function skopeo(atOnce = 1): Peer {
  return async ({ source, target, images }) => {
    await mapConcurrently(images, atOnce, ({ repository, tag }) => {
      const flags = ['--insecure-policy', 'copy', '--quiet', '--all', '--preserve-digests'];
      const trust = ['--src-tls-verify=false', '--dest-tls-verify=false'];
      const [from, to] = [source, target].map(address => `docker://${hostOf(address)}/${repository}:${tag}`);
      return execute('skopeo', [...flags, ...trust, String(from), String(to)]);
    });
  };
}

/** crane, where it is installed; undefined where it is not. */
export async function findCrane(): Promise<Peer | undefined> {
  try {
    await execute('crane', ['version']);
  } catch {
    return undefined;
  }
  return async ({ source, target, images }) => {
    for (const { repository, tag } of images) {
      const [from, to] = [source, target].map(address => `${hostOf(address)}/${repository}:${tag}`);
      await execute('crane', ['copy', '--insecure', String(from), String(to)]);
    }
  };
}

/** What no client can do without: each blob by `curl GET | curl PUT`, four at a time, and nothing hashed. */
export const floor: Peer = async ({ source, target, ca, images }) => {
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-floor-'));
  try {
    const authority = join(folder, 'ca.pem');
    await writeFile(authority, ca);
    const curl = `curl -sSf --cacert ${authority}`;
    const accept = "-H 'Accept: application/vnd.oci.image.manifest.v1+json'";
    for (const { repository, tag } of images) {
      const { stdout } = await execute('sh', ['-c', `${curl} ${accept} ${source}/v2/${repository}/manifests/${tag}`]);
      const { config, layers } = JSON.parse(stdout) as { config: Blob; layers: Blob[] };
      await mapConcurrently([config, ...layers], 4, ({ digest, size }) => {
        const start = `${curl} -X POST -D - -o /dev/null ${target}/v2/${repository}/blobs/uploads/`;
        const place = `location=$(${start} | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')`;
        const put = `${curl} -T - -H 'Transfer-Encoding:' -H 'Content-Length: ${size}' "$location&digest=${digest}"`;
        return execute('sh', ['-c', `${place}; ${curl} ${source}/v2/${repository}/blobs/${digest} | ${put}`]);
      });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

interface Blob {
  readonly digest: string;
  readonly size: number;
}

function hostOf(address: string): string {
  return new URL(address).host;
}
