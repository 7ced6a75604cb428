/** Images whose tags came off: until the grace is over, what is looked at then still finds them by these. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { CleanReport } from '../../../../core/lifecycle/cleaning/clean-report.ts';
import { day, hour } from '../estate.ts';
import { type CleaningOptions, type CleaningWorld, plain, startCleaning } from './cleaning-world.ts';

describe('a released image', () => {
  let world: CleaningWorld;
  beforeEach(async () => {
    world = await startCleaning();
  });
  afterEach(() => world.close());

  const nextDay = (): void => world.ci.advance(day + hour);
  const still = (repository: string, digest: string): boolean => world.ci.acr.world.has(repository, digest);

  /** An image that a build recorded, with further tags of its own. */
  const record = async (tagsOf: (id: number) => string[] = () => []): Promise<{ id: number; digest: string }> => {
    const { acr, ado, definitionId } = world.ci;
    const { digest } = acr.world.putImage('shop/web');
    const { id } = ado.world.addBuild({ definitionId });
    await world.ci.tag(id, [{ repository: 'shop/web', reference: digest }], { tags: tagsOf(id) });
    ado.world.deleteBuild(id);
    return { id, digest };
  };

  /** One that something else than us tagged while its build ran. */
  const tagOnly = (): { id: number; digest: string } => {
    const { acr, ado, definitionId } = world.ci;
    const at = acr.clock.now() - day;
    const { id } = ado.world.addBuild({ definitionId, startTime: at - hour, finishTime: at + hour });
    const { digest } = acr.world.putImage('old', { tags: [String(id)], at });
    ado.world.deleteBuild(id);
    return { id, digest };
  };

  it('stays where something began to run by the tag that came off, and goes when that has ended', async () => {
    const { id, digest } = await record();
    const policy = 'keep: { references: [], newerThan: 0s }';
    await world.clean({ policy, clusters: { aks: [] } });
    deepEqual(world.ci.acr.world.tags('shop/web'), {});
    nextDay();
    const { report } = await world.clean({ policy, clusters: { aks: [`mirror.example/shop/web:${id}`] } });
    deepEqual(told(report), [`shop/web@${digest} kept: it is used by pod shop/web-0 (aks)`]);
    ok(still('shop/web', digest));
    for (let days = 0; days < 3; days += 1) {
      nextDay();
      await world.clean({ policy, clusters: { aks: [] } });
    }
    ok(!still('shop/web', digest));
  });

  it('stays where its tag came off before somebody said that such tags are kept, in every run that follows', async () => {
    const { digest } = await record(id => [`v1.0-${id}`]);
    await world.clean();
    const options: CleaningOptions = { policy: plain.replace('keep: {', 'keep: { tags: ["v*"],') };
    for (let days = 0; days < 3; days += 1) {
      nextDay();
      match(told((await world.clean(options)).report).join(), /the tag "v1\.0-1" of ci\/shop\/web is kept by "v\*"/);
    }
    ok(still('shop/web', digest));
  });

  it('without a record stays where a branch is to keep it, with its tag, and also where that came off before', async () => {
    const { ado, acr, definitionId, projectId } = world.ci;
    const [first, second] = [tagOnly(), tagOnly()];
    ado.world.git.push(ado.world.git.defaultOf(projectId), 'main', {});
    const keeping = 'keep: { deployed: false, references: [{ branch: main }], newerThan: 0s }';
    await world.clean({ policy: `${keeping}\n${withoutRecord(definitionId)}` });
    deepEqual(Object.keys(acr.world.tags('old')), [String(first.id), String(second.id)]);
    await world.clean({ policy: `${plain}\n${withoutRecord(definitionId)}` });
    deepEqual(acr.world.tags('old'), {});
    nextDay();
    const { look } = await world.clean({ policy: `${keeping}\n${withoutRecord(definitionId)}` });
    for (const { reasons } of look.plan.images) match(reasons.join(), /^it was built from the branch "main"/);
    deepEqual([still('old', first.digest), still('old', second.digest)], [true, true]);
  });

  const narrowed: Readonly<Record<string, [(definition: number) => string, RegExp]>> = {
    'its pipeline is not listed any more': [() => withoutRecord(99), /which is of a pipeline that is not listed/],
    'the pattern does not match its tag any more': [
      definition => withoutRecord(definition, '/^never-[0-9]+$/'),
      /its tag "1", which was taken off, is not that of a build/,
    ],
  };
  for (const [what, [rule, why]] of Object.entries(narrowed)) {
    it(`without a record stays where ${what}`, async () => {
      const { digest } = tagOnly();
      const { definitionId } = world.ci;
      await world.clean({ policy: `${plain}\n${withoutRecord(definitionId)}` });
      deepEqual(world.ci.acr.world.tags('old'), {});
      nextDay();
      const { report } = await world.clean({ policy: `${plain}\n${rule(definitionId)}` });
      match(told(report).join(), why);
      ok(still('old', digest));
    });
  }

  type Interruption = (children: readonly string[]) => { until?: () => boolean };
  const interruptions: Readonly<Record<string, Interruption>> = {
    'could not be deleted': children => {
      const path = new RegExp(children.join('|'));
      world.ci.acr.faults.add({ operation: 'manifest.delete', path }, { kind: 'status', status: 500 });
      return {};
    },
    'had no time left': () => {
      let isOver = false;
      world.ci.acr.faults.intercept = ({ operation }, point) => {
        if (operation === 'manifest.delete' && point === 'after') isOver = true;
        return 'proceed';
      };
      return { until: () => isOver };
    },
  };
  for (const [what, interrupt] of Object.entries(interruptions)) {
    it(`goes with all its children, also those that ${what} when it went itself`, async () => {
      const { acr, ado } = world.ci;
      const children = [acr.world.putImage('shop/web'), acr.world.putImage('shop/web')];
      const { digest } = acr.world.putIndex('shop/web', children);
      ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: digest }]));
      await world.clean();
      nextDay();
      await world.clean({}, interrupt(children.map(each => each.digest)));
      acr.faults.clear();
      deepEqual(acr.world.manifests('shop/web').sort(), children.map(each => each.digest).sort());
      for (let days = 0; days < 4; days += 1) {
        nextDay();
        await world.clean();
      }
      deepEqual(acr.world.snapshot(), { repositories: {}, blobs: [] });
    });
  }

  it('keeps no child that another index holds from staying', async () => {
    const { acr, ado } = world.ci;
    const shared = acr.world.putImage('shop/web');
    const going = acr.world.putIndex('shop/web', [shared]);
    const staying = acr.world.putIndex('shop/web', [shared, acr.world.putImage('shop/web')]);
    ado.world.deleteBuild(await world.ci.build([{ repository: 'shop/web', reference: going.digest }]));
    await world.ci.build([{ repository: 'shop/web', reference: staying.digest }]);
    for (let days = 0; days < 4; days += 1) {
      await world.clean();
      nextDay();
    }
    deepEqual([still('shop/web', going.digest), still('shop/web', shared.digest)], [false, true]);
    equal(acr.world.manifests('shop/web').length, 3);
  });
});

function withoutRecord(definition: number, tags = '/^[0-9]+$/'): string {
  return `delete: { withoutRecord: { tagsMatching: "${tags}", definitions: [${definition}] } }`;
}

function told({ items }: CleanReport): string[] {
  return items.map(each => `${each.subject} ${each.outcome}: ${each.reason}`).sort();
}
