/** Leases that promotions took, and whether the pipeline that deployed is still there: what nobody ends holds its build for ever. */
import { getDefinition, getProject } from '../../azure-devops/builds.ts';
import type { AzureDevOps } from '../../azure-devops/connection.ts';
import { listLeasesOfPipeline } from '../../azure-devops/leases.ts';
import { mapConcurrently } from '../../base/concurrency.ts';
import type { BuildFact, BuildName } from '../keep-policy/policy-facts.ts';
import { type LeaseOwner, parseOwner } from '../retain-build.ts';
import type { EstateOrganization, EstateProject } from './estate.ts';

/** A lease that this project took, and whether the pipeline that deployed with it is still there. */
export interface LeaseFact {
  readonly build: BuildName;
  readonly ownerId: string;
  /** ISO 8601. */
  readonly createdOn: string;
  /** Of a classic release it is not asked. `unknown` is no reason to tell of it. */
  readonly pipeline: 'there' | 'gone' | 'unknown';
}

const atOnce = 4;

/** Reads the leases on builds of every pipeline that made one of these. One list that fails makes all undefined: it is for people alone. */
export async function readLeases(
  organizations: readonly EstateOrganization[],
  builds: readonly BuildFact[],
): Promise<LeaseFact[] | undefined> {
  const found: LeaseFact[] = [];
  for (const { name, azureDevOps, projects } of organizations) {
    for (const project of projects) {
      const own = builds.filter(({ build }) => build.organization === name && build.project === project.name);
      const leases = await readOfProject(azureDevOps, project, new Set(own.map(each => each.definition)));
      if (leases === undefined) return undefined;
      const known = { organization: name, project: project.name };
      found.push(...leases.map(({ id, ...lease }) => ({ ...lease, build: { ...known, id } })));
    }
  }
  return found;
}

type OwnLease = Omit<LeaseFact, 'build'> & { readonly id: number };

async function readOfProject(
  ado: AzureDevOps,
  { id: projectId }: EstateProject,
  definitions: ReadonlySet<number>,
): Promise<OwnLease[] | undefined> {
  const states = new Map<string, Promise<LeaseFact['pipeline']>>();
  const stateOf = (owner: LeaseOwner): Promise<LeaseFact['pipeline']> => {
    const { kind, projectId: place, definitionId } = owner.deployedBy;
    const key = `${kind} ${place} ${definitionId}`;
    const asked = states.get(key) ?? readPipeline(ado, owner);
    states.set(key, asked);
    return asked;
  };
  const lists = await mapConcurrently([...definitions], atOnce, async definitionId => {
    const listed = await listLeasesOfPipeline(ado, { projectId, definitionId });
    return listed.kind === 'unknown' ? undefined : listed.leases;
  });
  const found: OwnLease[] = [];
  for (const leases of lists) {
    if (leases === undefined) return undefined;
    for (const { runId: id, ownerId, createdOn } of leases) {
      const owner = parseOwner(ownerId);
      if (owner) found.push({ id, ownerId, createdOn, pipeline: await stateOf(owner) });
    }
  }
  return found;
}

/** A pipeline that may not be seen looks like one that is gone, so its project has to be seen at least. */
async function readPipeline(ado: AzureDevOps, { deployedBy }: LeaseOwner): Promise<LeaseFact['pipeline']> {
  const { kind, projectId, definitionId } = deployedBy;
  if (kind === 'release') return 'unknown';
  const definition = await getDefinition(ado, projectId, definitionId);
  if (definition.kind !== 'notFound') return definition.kind === 'readable' ? 'there' : 'unknown';
  return (await getProject(ado, projectId)).kind === 'readable' ? 'gone' : 'unknown';
}
