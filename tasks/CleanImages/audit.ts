/** Mode `audit`: what lies in the registries, whose it is, and what the policy would make free. Nothing is changed. */
import { auditEstate } from '../../core/lifecycle/cleaning/audit.ts';
import { agentLog } from '../agent/log.ts';
import { count, formatBytes } from '../agent/markdown.ts';
import { showSummary } from '../agent/summary.ts';
import { setCounts, writeFiles } from './outputs.ts';
import { makeReport } from './report.ts';
import { describeScope, findDriftOf, type Scene } from './scene.ts';

/** Audits, and shows it. */
export async function audit(scene: Scene): Promise<void> {
  const { job, look, unread, answers } = scene;
  const found = auditEstate(look.facts, look.plan, look.inventory);
  const told = { drift: findDriftOf(scene), answers, partly: unread.some };
  const report = makeReport({ audit: found, ...told, scope: describeScope(scene) });
  await writeFiles(job.inputs, { report: report.html });
  await showSummary('Audit of images', report.markdown);
  setCounts({ unread });
  const { images, bytes, leaving, freedBytes } = found.total;
  const repositories = found.repositories.length === 1 ? 'one repository' : `${found.repositories.length} repositories`;
  agentLog.info(
    `${formatBytes(bytes)} in ${count(images, 'manifest')} of ${repositories}; without the ${leaving} that the policy would let go, ${formatBytes(freedBytes)} less${found.knowsUsage ? '' : ' at most'}. Nothing was changed.`,
  );
}
