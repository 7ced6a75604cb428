import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { parseConfiguration } from '../../core/lifecycle/configuration/configuration.ts';
import { readTasks, type TaskManifest } from '../../scripts/package.ts';
import { inputNames as cleanImagesInputs } from '../../tasks/CleanImages/inputs.ts';
import { inputNames as packageChartInputs } from '../../tasks/PackageChart/inputs.ts';
import { inputNames as promoteImageInputs } from '../../tasks/PromoteImage/inputs.ts';
import { inputNames as tagImageInputs } from '../../tasks/TagImage/inputs.ts';

const root = resolve(import.meta.dirname, '../..');

interface Step {
  readonly task?: string;
  readonly inputs?: Readonly<Record<string, string | boolean>>;
}

interface Pipeline {
  readonly schedules: readonly { readonly branches: { readonly include: readonly string[] } }[];
  readonly stages: readonly {
    readonly jobs: readonly { readonly pool?: unknown; readonly steps: readonly Step[] }[];
  }[];
}

/** Every step with a task, in the YAML of a page. */
async function readSteps(path: string): Promise<Step[]> {
  const page = await readFile(join(root, path), 'utf8');
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(match => parse(match[1] ?? '') as { steps?: Step[] });
  return blocks.flatMap(block => block.steps ?? []);
}

/** What Azure Pipelines would say of the step: unknown inputs, missing ones, values that are no option. */
function findFaults(task: TaskManifest, inputs: Readonly<Record<string, string | boolean>>): string[] {
  const known = new Map(
    task.inputs.flatMap(input => [input.name, ...(input.aliases ?? [])].map(name => [name, input])),
  );
  const given = new Map(Object.entries(inputs).map(([name, value]) => [known.get(name)?.name, String(value)]));
  const valueOf = (name: string) =>
    given.get(name) ?? task.inputs.find(input => input.name === name)?.defaultValue ?? '';
  const holds = (part: string): boolean => {
    const [, name = '', operator = '', value = ''] = /^(\w+) (!?=) (\S+)$/.exec(part) ?? [];
    return (valueOf(name) === value) === (operator === '=');
  };
  // A rule has one kind of operator. https://learn.microsoft.com/azure/devops/extend/develop/integrate-build-task
  const isShown = (rule = '') =>
    rule === '' || (rule.includes(' && ') ? rule.split(' && ').every(holds) : rule.split(' || ').some(holds));
  return [
    ...Object.keys(inputs).flatMap(name => (known.has(name) ? [] : [`unknown input ${name}`])),
    ...task.inputs.flatMap(({ name, required, visibleRule, options }) => [
      ...(required && isShown(visibleRule) && !valueOf(name) ? [`missing input ${name}`] : []),
      ...(given.has(name) && !isShown(visibleRule) ? [`${name} has no meaning here`] : []),
      ...(options && !(valueOf(name) in options) ? [`${valueOf(name)} is no option of ${name}`] : []),
    ]),
  ];
}

describe('documentation of the tasks', () => {
  let tasks: TaskManifest[];
  before(async () => {
    tasks = await readTasks();
  });

  it('is checked by something that finds faults', () => {
    const task = tasks.find(({ name }) => name === 'TagImage');
    assert.deepEqual(findFaults(task!, { image: 'x' }).sort(), [
      'missing input azureSubscription',
      'missing input registry',
      'unknown input image',
    ]);
    assert.deepEqual(findFaults(task!, { connectionType: 'dockerConfig', registry: 'x', containerRegistry: 'y' }), [
      'containerRegistry has no meaning here',
    ]);
  });

  it('has a page for each task whose examples would run, in YAML and classic', async () => {
    for (const task of tasks) {
      const steps = (await readSteps(`docs/tasks/${task.name}.md`)).filter(step => step.task?.startsWith(task.name));
      assert.ok(steps.length >= 2, task.name);
      for (const step of steps) {
        assert.equal(step.task, `${task.name}@${task.version.Major}`);
        assert.deepEqual(findFaults(task, step.inputs ?? {}), [], JSON.stringify(step));
      }
    }
  });

  it('has examples on the marketplace page that would run', async () => {
    for (const step of await readSteps('overview.md')) {
      const task = tasks.find(({ name, version }) => step.task === `${name}@${version.Major}`);
      if (task) assert.deepEqual(findFaults(task, step.inputs ?? {}), []);
    }
  });

  it('has a scheduled pipeline whose steps would run, and whose stages hand over what its first one gives', async () => {
    const task = tasks.find(({ name }) => name === 'CleanImages');
    const text = await readFile(join(root, 'examples/clean-images/clean-images.yml'), 'utf8');
    const { schedules, stages } = parse(text) as Pipeline;
    assert.equal(schedules[0]?.branches.include[0], 'main');
    const jobs = stages.flatMap(stage => stage.jobs);
    const steps = jobs.flatMap(job => job.steps).filter(step => step.task === `CleanImages@${task!.version.Major}`);
    assert.deepEqual(
      steps.map(step => step.inputs?.['mode']),
      ['plan', 'apply'],
    );
    for (const step of steps) assert.deepEqual(findFaults(task!, step.inputs ?? {}), [], JSON.stringify(step));
    assert.equal(steps[1]?.inputs?.['planHash'], '$(planHash)');
    assert.ok(String(steps[1]?.inputs?.['planFile']).includes('/clean-images-plan/plan.json'));
    const outputs = (task?.outputVariables ?? []).map(output => output.name);
    const across = [...text.matchAll(/stageDependencies\.plan\.plan\.outputs\['clean\.(\w+)'\]/g)].map(
      match => match[1],
    );
    const within = [...text.matchAll(/dependencies\.plan\.outputs\['plan\.clean\.(\w+)'\]/g)].map(match => match[1]);
    assert.deepEqual([...within, ...across], ['deletions', 'deletions', 'planHash', 'deletions', 'unread', 'planHash']);
    for (const name of [...within, ...across]) assert.ok(outputs.includes(name ?? ''), name);
    // A rejected approval is "Failed": only where nothing is to go may nobody have been asked.
    const condition = /stage: apply\n[^]*?condition: \|\n([^]*?)\n {4}jobs:/.exec(text)?.[1]?.replaceAll(/\s+/g, '');
    assert.equal(
      condition,
      "and(not(canceled()),in(dependencies.plan.result,'Succeeded','SucceededWithIssues'),or(eq(dependencies.approve.result,'Succeeded'),and(eq(dependencies.approve.result,'Skipped'),eq(dependencies.plan.outputs['plan.clean.deletions'],'0'))))",
    );
    assert.ok(jobs.some(job => job.pool === 'server' && job.steps[0]?.task === 'ManualValidation@1'));
  });

  it('has a configuration for it that is sound, and needs no sign-in', async () => {
    const path = 'examples/clean-images/image-lifecycle.yml';
    const { registries, clusters } = parseConfiguration(await readFile(join(root, path), 'utf8'), path);
    assert.deepEqual(
      [...registries, ...clusters].map(each => each.name),
      ['ci', 'prod', 'aks'],
    );
    assert.ok(registries.every(each => each.signIn === undefined));
  });

  const inputsOf = {
    TagImage: tagImageInputs,
    PackageChart: packageChartInputs,
    PromoteImage: promoteImageInputs,
    CleanImages: cleanImagesInputs,
  };
  for (const [name, inputNames] of Object.entries(inputsOf)) {
    it(`declares exactly the inputs that ${name} reads`, () => {
      const declared = tasks.find(task => task.name === name)?.inputs.map(input => input.name) ?? [];
      assert.deepEqual(declared.sort(), [...inputNames].sort());
    });

    it(`reads no input of ${name} by a name that is not declared`, async () => {
      const source = await readFile(join(root, `tasks/${name}/inputs.ts`), 'utf8');
      const calls = source.matchAll(
        /\bread(?:Text|RequiredText|Lines|List|Choice|Switch|Path|OptionalPath|Count)\('(\w+)'/g,
      );
      // The inputs of a connection are handed over by their names.
      const handed = source.matchAll(/\b(?:connectionType|azureSubscription|containerRegistry|registry): '(\w+)'/g);
      const read = [...calls, ...handed].map(call => call[1] ?? '');
      assert.deepEqual([...new Set(read)].sort(), [...inputNames].sort());
    });
  }
});
