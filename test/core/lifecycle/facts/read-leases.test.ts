import { deepEqual, equal } from 'node:assert/strict';
import { nameOwner, parseOwner, retainBuild } from '../../../../core/lifecycle/retain-build.ts';
import { type CleaningWorld, startCleaning } from '../cleaning/cleaning-world.ts';

describe('leases that promotions took', () => {
  let world: CleaningWorld;
  let build: number;
  beforeEach(async () => {
    world = await startCleaning();
    const { digest } = world.ci.acr.world.putImage('web');
    build = await world.ci.build([{ repository: 'web', reference: digest }]);
  });
  afterEach(() => world.close());

  const take = async (deployedBy: { kind?: 'pipeline' | 'release'; definitionId: number }): Promise<string> => {
    const { surroundings, projectId, definitionId } = world.ci;
    const owner = {
      registry: 'prod.azurecr.io',
      stage: 'Prod: EU',
      deployedBy: { kind: 'pipeline', projectId, ...deployedBy },
    } as const;
    await retainBuild(surroundings, { owner, projectId, definitionId, buildId: build });
    return nameOwner(owner);
  };
  const readPipelines = async (): Promise<string[] | undefined> =>
    (await world.look()).leases?.map(each => each.pipeline);

  it('tell whether the pipeline that took them is there', async () => {
    const { ado, projectId } = world.ci;
    const deployer = ado.world.addDefinition({ projectId }).id;
    const ownerId = await take({ definitionId: deployer });
    const [lease] = (await world.look()).leases ?? [];
    deepEqual([lease?.build.id, lease?.ownerId, lease?.pipeline], [build, ownerId, 'there']);
    ado.world.deleteDefinition(deployer);
    deepEqual(await readPipelines(), ['gone']);
  });

  it('tell nothing of a pipeline that may not be seen, of a classic release, and of what others hold', async () => {
    const { ado, projectId } = world.ci;
    const deployer = ado.world.addDefinition({ projectId }).id;
    await take({ definitionId: deployer });
    await take({ kind: 'release', definitionId: 3 });
    ado.world.leases.add({
      runId: build,
      definitionId: world.ci.definitionId,
      ownerId: 'User:x',
      daysValid: 1,
      protectPipeline: false,
    });
    ado.world.denyDefinition(deployer, 'forbidden');
    deepEqual(await readPipelines(), ['unknown', 'unknown']);
  });

  it('are not told of at all where one list fails, and the plan does not need them', async () => {
    world.ci.ado.faults.add({ operation: 'leases.list', effect: { kind: 'status', status: 403 } });
    const { leases, plan } = await world.look();
    equal(leases, undefined);
    deepEqual(plan.unread, []);
  });

  it('have owners whose names can be read again, unless they were cut or are not ours', () => {
    const owner = {
      registry: 'prod.azurecr.io:5000',
      stage: 'A:b%',
      deployedBy: { kind: 'release', projectId: world.ci.projectId, definitionId: 3 },
    } as const;
    deepEqual(parseOwner(nameOwner(owner)), owner);
    equal(parseOwner(nameOwner({ ...owner, stage: 'x'.repeat(500) })), undefined);
    equal(parseOwner('User:x'), undefined);
    equal(parseOwner(`ImageLifecycle:Prod.azurecr.io:A:${world.ci.projectId}.release.3`), undefined);
  });
});
