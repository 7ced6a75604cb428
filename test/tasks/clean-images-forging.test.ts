import assert from 'node:assert/strict';
import { type Cleaning, day, openCleaning, readOutput, writeSource } from './cleaning.ts';
import { assertNotForged, forgeries } from './forging.ts';
import { readSummary } from './promotion.ts';
import { assertFailed } from './step.ts';

describe('CleanImages and texts that forge commands', () => {
  let cleaning: Cleaning;
  before(async () => {
    cleaning = await openCleaning();
    await cleaning.build({ id: 100, repositories: ['shop/web', 'shop/api'] });
    cleaning.clock.advance(2 * day);
  });
  after(() => cleaning.close());

  const keep = 'keep: { references: [], helmRevisions: none }';
  for (const [number, text] of forgeries.entries()) {
    it(`is not fooled by ${JSON.stringify(text)} in what Azure DevOps, a cluster and a registry say`, async () => {
      const { cluster, devOps, ci } = cleaning;
      await cleaning.configure(`clusters: [{ name: aks, server: "${cluster.url}" }]\n${keep}`);
      const build = devOps.world.builds.get(100);
      assert.ok(build);
      devOps.world.builds.set(100, { ...build, number: text, sourceBranch: `refs/heads/${text}` });
      const place = { kind: cluster.world.kindOf('pods'), namespace: 'shop', name: `web-${number}` };
      cluster.add('pods', {
        metadata: { name: place.name, namespace: 'shop', labels: { app: text } },
        spec: { containers: [{ name: 'web', image: `${text}/web:1` }] },
      });
      const type = `application/x-${text}`;
      ci.world.putArtifact('shop/web', { artifactType: type, annotations: { [text]: text }, content: text });
      ci.faults.add({ operation: 'oci.catalog.list', nth: number % 2 === 0 ? 1 : 2 }, { kind: 'replaced', body: text });
      const run = (mode: string) =>
        cleaning.clean(
          {
            mode,
            why: `${text.replace(/^\s+/, '')}\nshop/web:100`,
            kubernetesConnections: 'aks',
            publishArtifact: 'false',
          },
          { endpoints: { aks: cleaning.clusterConnection() } },
        );
      for (const mode of ['audit', 'plan', 'plan-and-apply']) {
        const outcome = await run(mode);
        assert.ok(['Succeeded', 'SucceededWithIssues', 'Failed'].includes(outcome.result ?? ''), outcome.output);
        assertNotForged(outcome);
        // Whoever prints these files in a job would run what they hold.
        const files = [await readOutput(cleaning, 'report.html')];
        if (mode === 'plan') files.push(await readOutput(cleaning, 'plan.json'), await readSummary(outcome));
        for (const file of files) assert.doesNotMatch(file, /##(?:vso)?\[/i);
      }
      cluster.world.remove(place);
      ci.faults.clear();
    });

    it(`is not fooled by ${JSON.stringify(text)} in what people write`, async () => {
      await writeSource(cleaning.agent, 'forged.yml', `${JSON.stringify(text)}: 1\nregistries: []\n`);
      await cleaning.configure(keep);
      const wrong: [inputs: Record<string, string>, message: RegExp][] = [
        [{ configuration: 'forged.yml' }, /forged\.yml:1:1: /],
        [{ configuration: text }, /^The input configuration/],
        [{ mode: text }, /^The input mode/],
        [{ azureSubscriptions: text }, /^The input azureSubscriptions|^No connection is for/],
        [{ mode: 'apply', planFile: 'image-lifecycle.yml', planHash: text }, /^The input planHash/],
        [{ artifactName: text }, /^The input artifactName/],
      ];
      for (const [inputs, message] of wrong) {
        const outcome = await cleaning.clean({
          ...inputs,
          ...('azureSubscriptions' in inputs && { containerRegistries: '' }),
        });
        assertFailed(outcome, message);
        assertNotForged(outcome);
      }
    });
  }
});
