/** What an audit assumes where it was not told, so that nobody takes its figures for more than they are. Pure. */
import { notConfigured } from '../facts/read-others.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';

/** Sentences; `unlisted` are images whose manifest was not read. */
export function listAssumptions(facts: PlanFacts, plan: KeepPlan, unlisted: number): string[] {
  const records = facts.registries.some(({ records }) => records.kind === 'whole' && records.items.length > 0);
  const said: readonly (readonly [isSo: boolean, sentence: string])[] = [
    [
      true,
      'Bytes are those that a registry stores: compressed, each layer once in a registry however many images have it. What a registry replicates to other regions is stored there again, and is not counted.',
    ],
    [
      true,
      'A layer may be in repositories too that were not looked at; then it does not become free with what is shown here.',
    ],
    [
      facts.usage.length === 0,
      'Nothing was given that tells what runs. Whether anything of this is deployed was not asked.',
    ],
    [
      !records,
      'No build record was found. Whose an image is was taken from its tags: a tag is that of a build if it holds one number, which is the id of a build, and was set while that build ran.',
    ],
    [
      unlisted > 0,
      `Of ${unlisted} ${unlisted === 1 ? 'image' : 'images'} the manifest was not read. Each is counted by the size that its registry lists, as if it shared no layer.`,
    ],
    [
      facts.builds.some(({ state }) => state.kind === 'unknown' && state.reason === notConfigured),
      'Some build records are of projects that were not asked. Whether their builds are gone is not known, so their images stay. Name these projects in a configuration, and they are asked as well.',
    ],
    [
      facts.organizations.some(each => each.unread !== undefined),
      'Not every organization of Azure DevOps could be read. Builds that are gone may stand among what is nobody’s.',
    ],
    [
      plan.unread.length > 0,
      'Not every source could be read. While that is so nothing goes, so nothing is shown to become free.',
    ],
  ];
  return said.flatMap(([isSo, sentence]) => (isSo ? [sentence] : []));
}
