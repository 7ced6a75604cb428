import assert from 'node:assert/strict';
import { ask } from './ask.ts';
import { type AzureDevOpsEmulator, startAzureDevOps } from './azure-devops.ts';
import type { Effect } from './faults.ts';

describe('the faults of the emulated Azure DevOps', () => {
  let emulator: AzureDevOpsEmulator;
  let projectId: string;
  beforeEach(async () => {
    emulator = await startAzureDevOps();
    projectId = emulator.world.addProject({ name: 'Shop' }).id;
    const { id: definitionId } = emulator.world.addDefinition({ projectId });
    for (let id = 1; id <= 3; id += 1) emulator.world.addBuild({ definitionId, id });
  });
  afterEach(() => emulator.close());

  const get = (id: number) => ask(emulator, `${projectId}/_apis/build/builds/${id}`);
  const list = async (): Promise<number[]> =>
    (await ask(emulator, `${projectId}/_apis/build/builds?queryOrder=5`)).json.value.map(
      (one: { id: number }) => one.id,
    );

  const spoilt = async (effect: Effect) => {
    emulator.faults.clear();
    emulator.faults.add({ effect });
    return get(1);
  };

  it('meet the operation, the path, the nth request and as many as they are told', async () => {
    const effect = { kind: 'status', status: 500 } as const;
    emulator.faults.add({ operation: 'builds.get', nth: 2, count: 2, effect });
    assert.equal((await ask(emulator, '_apis/projects')).status, 200);
    const statuses = [await get(1), await get(1), await get(1), await get(1)].map(one => one.status);
    assert.deepEqual(statuses, [200, 500, 500, 200]);
    const remove = emulator.faults.add({ path: /builds\/3$/, effect });
    assert.deepEqual([(await get(2)).status, (await get(3)).status], [200, 500]);
    remove();
    assert.equal((await get(3)).status, 200);
    emulator.faults.add({ path: 'projects', effect });
    assert.equal((await ask(emulator, '_apis/projects')).status, 500);
    emulator.faults.clear();
    assert.equal((await ask(emulator, '_apis/projects')).status, 200);
  });

  it('cut the connection before the work, after it, and in the middle of the answer', async () => {
    const lease = [{ runId: 1, definitionId: 1, ownerId: 'me', daysValid: 1 }];
    const init = { method: 'POST', body: JSON.stringify(lease) };
    const counts: number[] = [];
    for (const when of ['before', 'after', 'mid-body'] as const) {
      emulator.faults.clear();
      emulator.faults.add({ effect: { kind: 'cut', when } });
      await assert.rejects(ask(emulator, `${projectId}/_apis/build/retention/leases`, init), TypeError);
      counts.push(emulator.world.leases.all().length);
    }
    assert.deepEqual(counts, [0, 1, 2]);
  });

  it('ask a hook of the test about every request, before and after it is done', async () => {
    const seen: string[] = [];
    emulator.faults.intercept = (request, phase) => {
      seen.push(`${phase} ${request.operation} ${request.status ?? ''}`.trim());
      return seen.length === 4 ? 'cut' : 'proceed';
    };
    await get(1);
    await assert.rejects(get(2), TypeError);
    assert.deepEqual(seen, ['before builds.get', 'after builds.get 200', 'before builds.get', 'after builds.get 200']);
  });

  it('take a build out of a list, double one, and pass off another as the one that was asked for', async () => {
    const remove = emulator.faults.add({ effect: { kind: 'missingBuild', id: 2 } });
    assert.deepEqual(await list(), [1, 3]);
    remove();
    emulator.faults.add({ effect: { kind: 'doubled' } });
    assert.deepEqual(await list(), [1, 1, 2, 3]);
    emulator.faults.clear();
    emulator.faults.add({ effect: { kind: 'foreignBuild', projectId: 'p', definitionId: 7 } });
    const { json } = await get(1);
    assert.deepEqual([json.id, json.project.id, json.definition.id], [1, 'p', 7]);
  });

  it('spoil the body in every other way', async () => {
    assert.match((await spoilt({ kind: 'html' })).text, /^<html>/);
    await assert.rejects(spoilt({ kind: 'truncated' }), SyntaxError);
    assert.equal(
      (await spoilt({ kind: 'contentType', value: 'text/plain' })).headers.get('content-type'),
      'text/plain',
    );
    assert.equal((await spoilt({ kind: 'retryAfter', value: '3' })).headers.get('retry-after'), '3');
    assert.ok((await spoilt({ kind: 'oversized', bytes: 2_000_000 })).text.length > 2_000_000);
    assert.deepEqual((await spoilt({ kind: 'edit', edit: () => ({ odd: true }) })).json, { odd: true });
    assert.equal((await spoilt({ kind: 'slow', ms: 20, drip: true })).json.id, 1);
  });

  it('ask to slow down on good answers as long as they are told', async () => {
    emulator.world.behaviour.retryAfterSeconds = 9;
    const { status, headers } = await get(1);
    assert.deepEqual([status, headers.get('retry-after')], [200, '9']);
  });

  it('leave no credential in the log of requests', async () => {
    await get(1);
    assert.ok(!JSON.stringify(emulator.requests.entries).includes(emulator.pat));
    assert.equal(emulator.requests.entries[0]?.scheme, 'Basic');
    emulator.requests.clear();
    assert.equal(emulator.requests.entries.length, 0);
  });
});
