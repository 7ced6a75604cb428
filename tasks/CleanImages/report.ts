/** The report of a run that looked: a page for the run's tab, and one for a browser, of what was found. Pure. */
import type { Audit } from '../../core/lifecycle/cleaning/audit.ts';
import type { CleanPlan } from '../../core/lifecycle/cleaning/clean-plan.ts';
import type { Drift } from '../../core/lifecycle/cleaning/drift.ts';
import { listUnparsed } from '../../core/lifecycle/cleaning/not-read.ts';
import { describeAudit, describeAuditedImages, summarizeAudit } from './audit-summary.ts';
import { describeDrift } from './drift-text.ts';
import { writePage } from './page.ts';
import { describePlan, notice, summarizePlan, type TakenTags } from './plan-summary.ts';
import type { Block } from './report-blocks.ts';
import { writeMarkdown } from './report-markdown.ts';
import { describeAnswers, type WhyAnswer } from './why-text.ts';

/** What there is to tell; what is left out is not told of. */
export interface ReportContent {
  readonly plan?: CleanPlan;
  /** The tags that came off images of the plan before. */
  readonly takenTags?: TakenTags;
  readonly audit?: Audit;
  readonly drift?: Drift;
  readonly answers?: readonly WhyAnswer[];
  /** What was not read and holds some images only, a sentence without a full stop each. */
  readonly partly?: readonly string[];
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
export function makeReport(content: ReportContent): Report {
  const { plan, takenTags = new Map(), audit, drift, answers = [], scope } = content;
  const title = plan ? `What the plan ${plan.hash.slice(0, 12)} would do` : 'What lies in the registries';
  const at = plan?.madeAt ?? audit?.at;
  const under = at === undefined ? scope : `${scope} As of ${at.slice(0, 16).replace('T', ' ')} UTC.`;
  const blocks: Block[] = [
    ...describePartly(content),
    ...(plan ? summarizePlan(plan) : []),
    ...(audit ? summarizeAudit(audit) : []),
    ...describeAnswers(answers),
    ...(plan ? describePlan(plan, takenTags) : []),
    ...(audit ? describeAudit(audit) : []),
    ...(drift ? describeDrift(drift) : []),
    ...(audit ? describeAuditedImages(audit) : []),
  ];
  return {
    markdown: writeMarkdown(title, [{ kind: 'paragraph', text: under }, ...blocks]),
    html: writePage({ title, under }, blocks),
  };
}

/** References of what runs have a notice of their own. */
function describePartly({ plan, audit, partly = [] }: ReportContent): Block[] {
  const told = new Set(listUnparsed({ unparsed: plan?.unparsed ?? audit?.unparsed ?? [] }));
  const others = partly.filter(each => !told.has(each));
  return notice('Some images stay, because not everything about them could be read:', others);
}
