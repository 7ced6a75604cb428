/** The input `why`: everything that keeps an image, or the evidence that lets it go. */
import { tellWhy } from '../../core/lifecycle/cleaning/why.ts';
import { agentLog } from '../agent/log.ts';
import type { Scene } from './scene.ts';
import type { WhyAnswer } from './why-text.ts';

/** Answers each question, and tells the answers in the log. */
export function answerWhy({ job, estate, look }: Pick<Scene, 'job' | 'estate' | 'look'>): WhyAnswer[] {
  const registries = estate.registries.map(({ name, registry }) => ({ name, host: registry.host }));
  const options = { registries, graceMs: job.configuration.grace };
  const answers = job.inputs.why.map(subject => ({
    subject,
    lines: tellWhy(subject, look.facts, look.plan, options),
  }));
  for (const { subject, lines } of answers) {
    agentLog.info(`Why ${subject}?`);
    for (const line of lines) agentLog.info(`  ${line}`);
  }
  return answers;
}
