/** One configuration of a CI registry and a stage's registry, and a build that was promoted from the one to the other. */
import { deepEqual, match, notDeepEqual } from 'node:assert/strict';
import { parseConfiguration } from '../../../core/lifecycle/configuration/configuration.ts';
import { listPairings } from '../../../core/lifecycle/configuration/pairings.ts';
import { resolveProjects } from '../../../core/lifecycle/configuration/resolve-projects.ts';
import { reconcile } from '../../../core/lifecycle/reconcile.ts';
import type { Report } from '../../../core/lifecycle/report.ts';
import { day, hour } from './estate.ts';
import { type Stages, startStages } from './stages.ts';

const nothing = { repositories: {}, blobs: [] };

describe('a build that was promoted, and is deleted', () => {
  let stages: Stages;
  let id: number;
  beforeEach(async () => {
    stages = await startStages();
    const { acr } = stages.ci;
    const index = acr.world.putIndex('shop/api', [acr.world.putImage('shop/api'), acr.world.putImage('shop/api')]);
    acr.world.putArtifact('shop/api', { artifactType: 'application/vnd.sig', subject: index, content: 'referrer' });
    const tag = `${index.digest.replace(':', '-')}.sig`;
    acr.world.putArtifact('shop/api', { artifactType: 'application/vnd.cosign', tags: [tag], content: 'by tag' });
    id = await stages.ci.build([{ repository: 'shop/api', reference: index.digest }]);
    await stages.promote(id);
    stages.ci.ado.world.deleteBuild(id);
  });
  afterEach(() => stages.close());

  /** Runs the configuration to the end of every grace, as the handler would: one pairing after another. */
  const live = async (ruleOfStage: string): Promise<Report[]> => {
    const { ci, stage } = stages;
    const signIn = 'signIn: { kind: password, username: admin, password: { env: P } }';
    const configuration = parseConfiguration(
      `registries:
- { url: "${ci.acr.host}", ${signIn} }
- { url: "${stage.host}", ${signIn}${ruleOfStage} }
organizations: [{ url: "${ci.ado.url}", signIn: { kind: pat, token: { env: T } }, projects: [{ id: ${ci.projectId} }] }]
`,
      'lifecycle.yaml',
    );
    const organizations = await resolveProjects(configuration, () => ci.surroundings.azureDevOps);
    const pairings = listPairings(configuration, organizations);
    const reports: Report[] = [];
    for (let days = 0; days < 4; days += 1) {
      for (const { registry, rules } of pairings) {
        const acr = registry.url === stage.host ? stage : ci.acr;
        reports.push(await reconcile({ ...ci.surroundings, registry: stages.connect(acr) }, rules, {}));
      }
      ci.advance(day + hour);
    }
    return reports;
  };

  for (const [what, rule] of [
    ['no rule', ''],
    ['the rule "keep"', ', onBuildDeleted: keep'],
  ]) {
    it(`leaves CI, and stays whole in a stage with ${what}`, async () => {
      const { ci, stage } = stages;
      const before = stage.world.snapshot().repositories['shop/api'];
      deepEqual(before?.manifests.length, 5);
      await live(rule ?? '');
      deepEqual(ci.acr.world.snapshot(), nothing);
      deepEqual(stage.world.snapshot().repositories['shop/api'], before);
    });
  }

  it('leaves both with the rule "delete", and a stage without one loses it when that rule comes', async () => {
    const { ci, stage } = stages;
    const reports = await live('');
    match(
      reports
        .flatMap(report => report.items)
        .map(item => `${item.outcome}: ${item.reason}`)
        .join('\n'),
      /kept: a promoted copy; nothing tells what runs in that stage/,
    );
    notDeepEqual(stage.world.snapshot(), nothing);
    await live(', onBuildDeleted: delete');
    deepEqual([ci.acr.world.snapshot(), stage.world.snapshot()], [nothing, nothing]);
  });

  it('leaves both at once where the stage had the rule "delete" all along', async () => {
    await live(', onBuildDeleted: delete');
    deepEqual([stages.ci.acr.world.snapshot(), stages.stage.world.snapshot()], [nothing, nothing]);
  });
});
