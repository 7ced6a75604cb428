import { deepEqual, equal, ok } from 'node:assert/strict';
import { systemClock } from '../../core/base/clock.ts';
import { parseConfiguration } from '../../core/lifecycle/configuration/configuration.ts';
import { listPairings } from '../../core/lifecycle/configuration/pairings.ts';
import { entryOfPairing } from '../../webhook-handler/entries.ts';
import { serve } from '../../webhook-handler/serve.ts';
import {
  authorization,
  createMemoryLog,
  createNotification,
  createReport,
  otherProjectId,
  projectId,
  settle,
} from './world.ts';

const configuration = parseConfiguration(
  `
registries:
  - { url: dev.example, signIn: { kind: azure } }
  - { url: prod.example, signIn: { kind: azure } }
organizations:
  - { url: "https://dev.azure.com/contoso", signIn: { kind: azure }, buildTagPrefix: c-, projects: [{ id: ${projectId} }] }
  - { url: "https://dev.azure.com/fabrikam", signIn: { kind: azure }, buildTagPrefix: f-, projects: [{ id: ${otherProjectId} }] }
reconcile: { minimumInterval: 0s }
server: { host: 127.0.0.1, port: 0, username: azure-devops, password: { env: P } }
`,
  'c.yaml',
);

const organizations = configuration.organizations.map(organization => ({
  ...organization,
  projects: organization.projects.map(({ id = '', repositories }) => ({ id, name: id, repositories })),
}));

describe('the service', () => {
  it('reconciles each registry with each organization, one at a time in each registry, and hints where they belong', async () => {
    const log = createMemoryLog();
    const stop = new AbortController();
    const begun: string[] = [];
    const open = new Map<string, () => void>();
    const pairings = listPairings(configuration, organizations).map(pairing => ({
      ...pairing,
      reconcile: ({ only }: { only?: readonly { buildId: number }[] }) =>
        new Promise<ReturnType<typeof createReport>>(resolve => {
          const { url: registry } = pairing.registry;
          ok(!open.has(registry), `two runs on ${registry}`);
          begun.push(
            `${registry} ${pairing.organization.url.slice(22)} ${only?.map(one => one.buildId).join() ?? 'whole'}`,
          );
          open.set(registry, () => {
            open.delete(registry);
            resolve(createReport());
          });
        }),
    }));
    const secrets = { env: { P: 'correct horse: battery staple' }, folder: '/' };
    const entries = pairings.map(entryOfPairing);
    const served = serve({ configuration, entries, secrets, clock: systemClock, log, signal: stop.signal });
    const finish = async (): Promise<string[]> => {
      for (const done of open.values()) done();
      await settle();
      return begun.splice(0).sort();
    };
    while (!log.lines.some(line => line.includes('"listening"'))) await settle();
    const { port } = JSON.parse(log.lines.find(line => line.includes('"listening"')) ?? '') as { port: number };
    await settle();
    deepEqual(begun.splice(0).sort(), ['dev.example contoso whole', 'prod.example contoso whole']);
    deepEqual(await finish(), ['dev.example fabrikam whole', 'prod.example fabrikam whole']);
    await finish();
    const resource = { projectId: otherProjectId, definitionId: 1, buildIds: [7] };
    const notification = createNotification({ resource, resourceContainers: undefined });
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(notification),
    });
    equal(answer.status, 202);
    await settle();
    deepEqual(begun.splice(0).sort(), ['dev.example fabrikam 7', 'prod.example fabrikam 7']);
    equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
    stop.abort();
    await finish();
    await served;
  });
});
