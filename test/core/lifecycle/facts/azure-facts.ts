/** An organization to read facts from, and what records say of its builds. */
import type { NamedBuild } from '../../../../core/lifecycle/facts/asked-builds.ts';
import type { EstateOrganization } from '../../../../core/lifecycle/facts/estate.ts';
import type { AbsenceFact } from '../../../../core/lifecycle/facts/registry-reading.ts';
import { knowBuilds } from '../../../../core/lifecycle/keep-policy/known-builds.ts';
import type { BuildFact } from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../../../emulators/azure-devops/azure-devops.ts';
import type { Project } from '../../../emulators/azure-devops/world.ts';
import { connect, type TestConnection } from '../../azure-devops/connect.ts';

/** The organization's name in the configuration. */
export const contoso = 'https://dev.azure.com/contoso';

export interface AzureFacts {
  readonly emulator: AzureDevOpsEmulator;
  readonly shop: Project;
  readonly bank: Project;
  /** Connects to the projects, both where none is given, as a reader does. */
  organization(projects?: readonly Project[], options?: Parameters<typeof connect>[1]): EstateOrganization;
  close(): Promise<void>;
}

/** Starts an organization of two projects, with pipeline 12 in "Shop" and 13 in "Bank". */
export async function startAzureFacts(): Promise<AzureFacts> {
  const emulator = await startAzureDevOps();
  const { world } = emulator;
  const shop = world.addProject({ name: 'Shop' });
  const bank = world.addProject({ name: 'Bank' });
  world.addDefinition({ projectId: shop.id, id: 12 });
  world.addDefinition({ projectId: bank.id, id: 13 });
  const open = (url: string, options: Parameters<typeof connect>[1]): TestConnection['ado'] =>
    connect(emulator, { ...options, url }).ado;
  return {
    emulator,
    shop,
    bank,
    organization: (projects = [shop, bank], options = {}) => ({
      name: contoso,
      azureDevOps: open(emulator.url, options),
      releases: open(emulator.releaseUrl, options),
      projects: projects.map(({ id, name }) => ({ id, name })),
    }),
    close: () => emulator.close(),
  };
}

/** What a record says of a build of pipeline 12 in "Shop". */
export function recordOf(id: number, told: Partial<NamedBuild> & { readonly project?: string } = {}): NamedBuild {
  const { project = 'Shop', ...rest } = told;
  return {
    build: { organization: contoso, project, id },
    definition: 12,
    number: `record ${id}`,
    repository: 'Shop',
    branch: 'refs/heads/recorded',
    commit: 'c'.repeat(40),
    ...rest,
  };
}

/** What a tombstone says of a build of pipeline 12 in "Shop". */
export function absenceOf(id: number, seen: AbsenceFact['seen'], since: number): AbsenceFact {
  return { build: { organization: contoso, project: 'Shop', id }, definition: 12, seen, since };
}

/** The ids of builds that a plan takes for gone. */
export function goneOf(builds: readonly BuildFact[], now: number): number[] {
  const known = knowBuilds({ builds, now });
  const all = [...known.values()].flatMap(projects => [...projects.values()]).flatMap(ids => [...ids.values()]);
  return all
    .filter(each => each.isGone)
    .map(each => each.name.id)
    .sort((one, other) => one - other);
}
