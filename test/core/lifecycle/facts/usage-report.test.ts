import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { parseUsageReport, usageRepository } from '../../../../core/lifecycle/facts/usage-report.ts';
import { usageSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import { fails } from '../../oci/world.ts';

describe('docs/usage-report.md', () => {
  let page: string;
  before(async () => {
    page = await readFile(fileURLToPath(new URL('../../../../docs/usage-report.md', import.meta.url)), 'utf8');
  });
  /** The first block of a language. */
  const blockOf = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';

  it('shows a report that is one', () => {
    const shown = parseUsageReport(JSON.parse(blockOf('json')), 'the page');
    assert.equal(shown.cluster, 'aks-prod-1');
    assert.equal(shown.takenAt, Date.UTC(2026, 10, 25, 10));
    assert.deepEqual([shown.uses.length, shown.releases?.[0]?.oldestInUse], [1, 7]);
  });

  it('shows a configuration that is one', () => {
    const shown = parse(blockOf('yaml')) as { registries: { usage: unknown }[] };
    const usage = usageSchema.parse(shown.registries[0]?.usage);
    assert.deepEqual(usage, { report: 'required', clusters: ['aks-prod-1', 'aks-prod-2'], maxAge: 2 * 60 * 60_000 });
  });
});

describe('the name of a cluster that reports', () => {
  it('is a part of the path of its repository, and leads nowhere else', async () => {
    assert.equal(usageRepository('aks-prod-1'), 'image-lifecycle/usage/aks-prod-1');
    for (const name of ['', 'Prod', '../builds/x', 'a//b', 'a b', 'a/', '.', 'x'.repeat(256)]) {
      const thrown = await fails(
        Promise.resolve().then(() => usageRepository(name)),
        'INPUT_INVALID',
      );
      assert.match(thrown.message, /cannot be the name of a cluster/);
      assert.equal(usageSchema.safeParse({ report: 'required', clusters: [name] }).success, false);
    }
  });
});
