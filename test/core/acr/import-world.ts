/** Two registries of Azure, who manages them, and an importer between them; all share one clock. */
import { type Arm, createArm } from '../../../core/acr/arm.ts';
import { createImporter, type Importer, type ImporterOptions } from '../../../core/acr/import.ts';
import type { Digest } from '../../../core/oci/digest.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../../core/oci/repository.ts';
import { type AcrEmulator, startAcr } from '../../emulators/acr/acr.ts';
import { type ArmEmulator, startArm } from '../../emulators/arm/arm.ts';
import type { ArmRegistry } from '../../emulators/arm/world.ts';
import { createClock } from '../../emulators/settable-clock.ts';
import { createTls, type TlsMaterial } from '../../emulators/tls.ts';
import { issueToken } from '../../emulators/tokens.ts';
import { admin, type Client, createClient } from '../oci/world.ts';

/** Everything of one test. */
export interface ImportWorld extends Client {
  readonly tls: TlsMaterial;
  readonly emulator: ArmEmulator;
  readonly source: AcrEmulator;
  readonly target: AcrEmulator;
  readonly ids: { readonly source: ArmRegistry; readonly target: ArmRegistry };
  readonly arm: Arm;
  /** The audiences that tokens were asked for. */
  readonly audiences: string[];
  createImporter(options?: Partial<ImporterOptions>): Importer;
  open(side: 'source' | 'target', name: string): Repository;
  /** Lets `me` do these things on a registry; whoever has no such right may not, from the first call on. */
  allow(side: 'source' | 'target', ...actions: readonly string[]): void;
  /** Imports `source:app` into `target:copy/app`. */
  importApp(graph: readonly string[], importer?: Importer): ReturnType<Importer>;
  /** How often the emulated Azure Resource Manager was asked for something. */
  count(operation: string): number;
  close(): Promise<void>;
}

export const me = 'an-identity';

export async function startImportWorld(): Promise<ImportWorld> {
  const tls = await createTls();
  const clock = createClock();
  const [source, target, emulator] = await Promise.all([
    startAcr({ tls, clock }),
    startAcr({ tls, clock }),
    startArm({ tls, clock }),
  ]);
  const ids = {
    source: emulator.world.addRegistry({ name: 'ci001', acr: source }),
    target: emulator.world.addRegistry({ name: 'stage1', acr: target }),
  };
  const client = createClient({ ca: tls.ca }, clock);
  const audiences: string[] = [];
  const entraToken = async (audience: string): Promise<string> => {
    audiences.push(audience);
    return issueToken({ aud: audience, oid: me, exp: Math.floor(clock.now() / 1000) + 3600 });
  };
  const arm = createArm({ endpoint: emulator.url, entraToken, http: client.http });
  const sides = { source, target };
  const registries = {
    source: openRegistry({ address: source.host, credentials: admin, http: client.http }),
    target: openRegistry({ address: target.host, credentials: admin, http: client.http }),
  };
  const make = (options: Partial<ImporterOptions> = {}): Importer => createImporter({ arm, ...ids, ...options });
  const open = (side: 'source' | 'target', name: string): Repository =>
    openRepository(registries[side], name, ['pull', 'push']);
  return {
    ...client,
    ...sides,
    tls,
    emulator,
    ids,
    arm,
    audiences,
    createImporter: make,
    open,
    allow: (side, ...actions) => {
      emulator.access.assignments.push({ objectId: me, scope: ids[side].resourceId, actions });
    },
    importApp: (graph, importer = make()) =>
      importer({
        source: open('source', 'app'),
        target: open('target', 'copy/app'),
        graph: graph as unknown as readonly [Digest, ...Digest[]],
      }),
    count: operation => emulator.requests.count(operation),
    close: async () => {
      await client.http.close();
      await Promise.all([emulator.close(), source.close(), target.close()]);
    },
  };
}

/** Puts an index of two platforms into `source:app`; its digest first. */
export function putIndex({ source }: ImportWorld, tags: readonly string[] = []): string[] {
  const children = ['amd64', 'arm64'].map(architecture => source.world.putImage('app', { architecture }));
  return [source.world.putIndex('app', children, { tags }), ...children].map(({ digest }) => digest);
}
