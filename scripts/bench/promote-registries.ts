/** Two real registries to promote between, with images of bytes that nothing compresses. */
import { randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createHttp } from '../../core/oci/http.ts';
import { encodeManifest } from '../../core/oci/manifest.ts';
import { putManifest } from '../../core/oci/manifests.ts';
import { ociConfig, ociLayer, ociManifest } from '../../core/oci/media-types.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../core/oci/repository.ts';
import { putBlob } from '../../core/oci/upload.ts';
import { createTls } from '../../test/emulators/tls.ts';
import { type DockerRegistry, startDockerRegistry } from '../../test/support/docker-registry.ts';
import type { PromoteImage, PromoteOrder } from './promote-client.ts';

/** What every image is made of. */
export interface ImageSize {
  readonly layers: number;
  /** Of each layer. */
  readonly layerBytes: number;
  /** Of the configuration, about. */
  readonly configBytes?: number;
}

/** Registries that run, and the order to promote everything that is in the source. */
export interface PromoteWorld {
  readonly order: PromoteOrder;
  /** Ports of the source and the target. */
  readonly ports: readonly [number, number];
  /** Empties the target. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Memory, where the machine has such a folder: a disk would be measured with it. */
const memory = '/dev/shm';

/** Starts two registries, the first with `count` images in a repository each. */
export async function startPromoteWorld(
  scheme: 'http' | 'https',
  count: number,
  size: ImageSize,
): Promise<PromoteWorld> {
  const material = await createTls();
  const place = { ...(existsSync(memory) && { within: memory }), ...(scheme === 'https' && { tls: material }) };
  const [source, target] = await Promise.all([startDockerRegistry(place), startDockerRegistry(place)]);
  const close = async (): Promise<void> => {
    await Promise.all([source.stop(), target.stop()]);
  };
  const http = createHttp({ ca: material.ca });
  try {
    const registry = openRegistry({ address: addressOf(scheme, source), credentials: { kind: 'anonymous' }, http });
    const images: PromoteImage[] = [];
    for (let ordinal = 0; ordinal < count; ordinal += 1) {
      images.push(await putImage(openRepository(registry, `bench/app${ordinal}`, ['pull', 'push']), size));
    }
    const addresses = { source: addressOf(scheme, source), target: addressOf(scheme, target) };
    const order = { ...addresses, ca: material.ca, images };
    return { order, ports: [portOf(source), portOf(target)], clear: () => target.clear(), close };
  } catch (thrown) {
    await close();
    throw thrown;
  } finally {
    await http.close();
  }
}

async function putImage(
  repository: Repository,
  { layers, layerBytes, configBytes = 0 }: ImageSize,
): Promise<PromoteImage> {
  const bytes = Buffer.alloc(layerBytes);
  const descriptors = [];
  for (let ordinal = 0; ordinal < layers; ordinal += 1) {
    randomFillSync(bytes);
    // Whoever looks for gzip's mark finds it.
    bytes.set([0x1f, 0x8b]);
    descriptors.push({ mediaType: ociLayer, digest: await putBlob(repository, bytes), size: layerBytes });
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Labels: { padding: randomFillSync(Buffer.alloc(Math.floor(configBytes / 2))).toString('hex') } },
      // Not those of what is inside, which nobody unpacks here.
      rootfs: { type: 'layers', diff_ids: descriptors.map(({ digest }) => digest) },
    }),
  );
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociConfig, digest: await putBlob(repository, config), size: config.byteLength },
    layers: descriptors,
  });
  await putManifest(repository, 'v1', manifest);
  return { repository: repository.name, digest: manifest.digest, tag: 'v1' };
}

function addressOf(scheme: string, { host }: DockerRegistry): string {
  return `${scheme}://${host}`;
}

function portOf({ host }: DockerRegistry): number {
  return Number(host.split(':')[1]);
}
