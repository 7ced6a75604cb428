import { equal, ok } from 'node:assert/strict';
import { type AzureDevOpsEmulator, startAzureDevOps } from '../emulators/azure-devops/azure-devops.ts';
import type { HookEvent } from '../emulators/azure-devops/hook-events.ts';
import { createTestApp, listen, password, projectId, type TestApp, username } from './world.ts';

describe('a subscription of Azure DevOps', () => {
  let azureDevOps: AzureDevOpsEmulator;
  let test: TestApp;
  let url: string;
  before(async () => {
    azureDevOps = await startAzureDevOps({ retryScale: 0 });
    azureDevOps.world.addProject({ id: projectId });
    const { id } = azureDevOps.world.addDefinition({ projectId });
    for (let count = 0; count < 3; count += 1) azureDevOps.world.addBuild({ definitionId: id });
    test = createTestApp();
    url = `http://127.0.0.1:${await listen(test.app)}/azure-devops`;
  });
  after(async () => {
    await test.app.close();
    await azureDevOps.close();
  });
  const subscribe = (inputs: Readonly<Record<string, string>> = {}) => {
    const consumerInputs = { url, basicAuthUsername: username, basicAuthPassword: password, ...inputs };
    return azureDevOps.hooks.subscribe({ eventType: 'build.deleted', consumerInputs });
  };

  it('stays enabled and loses nothing, whatever the events hold and however much of them is sent', async () => {
    const { events } = azureDevOps.hooks;
    const real = [
      events.buildComplete(1, '1.0'),
      events.buildComplete(1, '2.0'),
      events.runStateChanged(2),
      events.buildDeleted(3),
      events.buildsDeleted({ projectId, definitionId: 1, buildIds: [1, 2, 3] }),
    ];
    const strange = [
      null,
      'text',
      47,
      [],
      {},
      { buildId: 'x' },
      { projectId, buildIds: Array(5000).fill(1) },
      { a: 'x'.repeat(1_900_000) },
    ];
    const all = [
      ...real,
      ...strange.map((resource): HookEvent => ({ ...events.buildDeleted(1), eventType: 'who.knows', resource })),
      ...strange.map((resource): HookEvent => ({ ...events.buildDeleted(1), resource })),
    ];
    for (const details of ['', 'minimal', 'none']) {
      const subscription = subscribe({
        resourceDetailsToSend: details,
        messagesToSend: details,
        detailedMessagesToSend: details,
      });
      for (const event of all) {
        const sent = await azureDevOps.hooks.send(subscription, event);
        equal(sent.result, 'succeeded', `${details} ${event.eventType}`);
        equal(sent.attempts.length, 1);
      }
      equal(subscription.status, 'enabled');
    }
  });

  it('hints at the build that was deleted', async () => {
    test.hints.take(0);
    await azureDevOps.hooks.send(subscribe(), azureDevOps.hooks.events.buildDeleted(3));
    ok(test.hints.take(0).builds.some(build => build.buildId === 3 && build.projectId === projectId));
  });

  it('with a wrong password goes on probation, so that its owner sees it', async () => {
    const subscription = subscribe({ basicAuthPassword: 'wrong' });
    await azureDevOps.hooks.send(subscription, azureDevOps.hooks.events.buildDeleted(3));
    equal(subscription.status, 'onProbation');
    equal(azureDevOps.hooks.history(subscription.id)[0]?.attempts[0]?.status, 401);
  });
});
