import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '../../../core/base/errors.ts';
import { findHelm, helmVersion, lint, runHelm, template } from '../../../tasks/agent/helm.ts';
import { quietly } from '../../../tasks/agent/output.ts';
import { writeChart } from '../../support/charts.ts';
import { helms } from '../../support/helm.ts';

/** A process that was killed is there until the kernel has seen to it. */
async function isGone(id: number): Promise<boolean> {
  for (let tries = 0; tries < 500; tries += 1) {
    const state = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    if (state === '' || / Z /.test(state)) return true;
    await new Promise(done => setTimeout(done, 10));
  }
  return false;
}

describe('the helm of the agent', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-helm-'));
    path = join(folder, 'helm');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const limits = { milliseconds: 60_000, bytes: 1000 };
  async function script(text: string): Promise<void> {
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
  }

  for (const helm of helms) {
    it(`says what it is: ${helm.version}`, async () => {
      assert.match(await helmVersion(helm.path), new RegExp(`^v${helm.version.split('.').slice(0, 2).join('\\.')}`));
    });
  }

  it('gets each word as it is, with no shell between', async () => {
    await script('for word in "$@"; do echo "<$word>"; done');
    const odd = '$(touch x); `y` "z" *';
    assert.equal(
      await template({ path, version: 'v3' }, odd, [odd]),
      `<template>\n<release>\n<${odd}>\n<--include-crds>\n<--values>\n<"${odd.replaceAll('"', '""')}">\n`,
    );
  });

  for (const helm of helms) {
    it(`takes values whatever their file is called: ${helm.version}`, async () => {
      await writeChart(join(folder, 'chart'), {
        'Chart.yaml': 'apiVersion: v2\nname: odd\nversion: 1.0.0\n',
        'templates/odd.yaml': 'kind: {{ .Values.one }}{{ .Values.two }}\n',
        'a, "b/c;$(d).yaml': 'one: 1\n',
        'plain.yaml': 'two: 2\n',
      });
      const files = ['a, "b/c;$(d).yaml', 'plain.yaml'].map(name => join(folder, 'chart', name));
      assert.match(await template(helm, join(folder, 'chart'), files), /^kind: 12$/m);
      assert.match(await lint(helm, join(folder, 'chart'), files), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    });
  }

  it('is looked for on PATH: there is none, it is too old, it is broken, or it is told of', async () => {
    const own = process.env['PATH'];
    try {
      process.env['PATH'] = join(folder, 'gone');
      assert.deepEqual(await quietly(findHelm), { missing: 'there is no helm on this agent' });
      process.env['PATH'] = `${folder}:${own}`;
      await script('echo v2.17.0');
      assert.deepEqual(await quietly(findHelm), {
        missing: 'the helm of this agent is v2.17.0, and helm 3 or later is needed',
      });
      await script('echo "no such thing." >&2; exit 3');
      assert.deepEqual(await quietly(findHelm), { missing: 'helm version ended with 3: no such thing' });
      await script('echo v4.2.4');
      assert.deepEqual(await quietly(findHelm), { path, version: 'v4.2.4' });
    } finally {
      process.env['PATH'] = own;
    }
  });

  it('sees the settings of the user, and nothing that the agent hands to the task alone', async () => {
    await script('env');
    const ours = [
      'INPUT_PUSH',
      'ENDPOINT_AUTH_X',
      'ENDPOINT_URL_X',
      'SECRET_X',
      'SECUREFILE_X',
      'VSTS_SECRET_VARIABLES',
    ];
    for (const name of [...ours, 'HELM_NAMESPACE']) process.env[name] = 'seen';
    try {
      const seen = await runHelm({ path }, ['version'], { ...limits, bytes: 1_000_000 });
      const names = seen.split('\n').map(line => line.split('=')[0] ?? '');
      assert.ok(names.includes('HELM_NAMESPACE') && names.includes('PATH'));
      assert.deepEqual(
        ours.filter(name => names.includes(name)),
        [],
      );
    } finally {
      for (const name of [...ours, 'HELM_NAMESPACE']) delete process.env[name];
    }
  });

  it('is stopped where it does not end, whatever it started', async () => {
    const child = join(folder, 'child');
    await script(`sleep 600 & echo $! > '${child}'; wait`);
    await assert.rejects(runHelm({ path }, ['lint'], { ...limits, milliseconds: 300 }), {
      code: 'INPUT_INVALID',
      message: 'helm lint did not end within 0.3 s, and was stopped.',
    });
    const id = Number(await readFile(child, 'utf8'));
    assert.ok(await isGone(id), `${id} is still there`);
  });

  it('is stopped where it says more than anybody reads', async () => {
    await script('while true; do echo more and more; done');
    await assert.rejects(runHelm({ path }, ['template'], limits), {
      code: 'TOO_LARGE',
      message: 'helm template wrote more than 1000 bytes.',
    });
  });

  it('is quoted with the end of its words where it fails; what template wrote of the chart is not', async () => {
    await script(
      'echo "password: hunter2"; i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done; exit 7',
    );
    await assert.rejects(template({ path, version: 'v3' }, 'x', []), (thrown: unknown) => {
      assert.ok(hasCode(thrown, 'INPUT_INVALID'));
      assert.match(thrown.message, /^helm template ended with 7: .*line 1999$/s);
      assert.ok(thrown.message.length < 2100 && !thrown.message.includes('hunter2'));
      return true;
    });
    await script('echo "[ERROR] found"; echo "Error: 1 failed" >&2; exit 1');
    await assert.rejects(lint({ path, version: 'v3' }, 'x', []), {
      message: 'helm lint ended with 1: [ERROR] found\n\nError: 1 failed',
    });
  });

  it('is told as what it is where it cannot be run', async () => {
    await assert.rejects(runHelm({ path: join(folder, 'gone') }, ['dependency', 'build', 'x']), {
      code: 'INPUT_INVALID',
      message: /^helm dependency build could not be run: .*ENOENT/,
    });
  });
});
