/** The report of a run that looked: a page for the run's tab, and one for a browser, of what was found. Pure. */
import type { Audit } from '../../core/lifecycle/cleaning/audit.ts';
import type { CleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { Drift } from '../../core/lifecycle/cleaning/drift.ts';
import { describeAudit, describeAuditedImages } from './audit-summary.ts';
import { describeDrift } from './drift-text.ts';
import { writePage } from './page.ts';
import { describePlan } from './plan-summary.ts';
import type { Block } from './report-blocks.ts';
import { writeMarkdown } from './report-markdown.ts';
import { describeAnswers, type WhyAnswer } from './why-text.ts';

/** What there is to tell; what is left out is not told of. */
export interface ReportContent {
  readonly plan?: CleanPlan;
  readonly audit?: Audit;
  readonly drift?: Drift;
  readonly answers?: readonly WhyAnswer[];
  /** What the run looked at, for people: hosts, and which policy was assumed. A sentence. */
  readonly scope: string;
}

/** The same report twice. */
export interface Report {
  /** At most 1 MiB. */
  readonly markdown: string;
  readonly html: string;
}

/** Makes the report. */
export function makeReport({ plan, audit, drift, answers = [], scope }: ReportContent): Report {
  const title = plan ? `What the plan ${plan.hash.slice(0, 12)} would do` : 'What lies in the registries';
  const at = plan?.madeAt ?? audit?.at;
  const under = at === undefined ? scope : `${scope} As of ${at.slice(0, 16).replace('T', ' ')} UTC.`;
  const blocks: Block[] = [
    ...describeAnswers(answers),
    ...(plan ? describePlan(plan) : []),
    ...(audit ? describeAudit(audit) : []),
    ...(drift ? describeDrift(drift) : []),
    ...(audit ? describeAuditedImages(audit) : []),
  ];
  return {
    markdown: writeMarkdown(title, [{ kind: 'paragraph', text: under }, ...blocks]),
    html: writePage({ title, under }, blocks),
  };
}
