/** The output variables. */
import type { PromotionPlan } from '../../core/lifecycle/promotion-plan.ts';
import { agentLog } from '../agent/log.ts';
import { setOutput } from '../agent/variables.ts';

/** Each step that follows gets the variables in its environment, and no system takes a longer one everywhere. */
const maxVariableLength = 30_000;

/** Sets `digest` and `images`: where the images are in the stage's registry. */
export function setOutputs(plans: readonly PromotionPlan[], host: string): void {
  const images = plans.flatMap(plan =>
    plan.images.map(({ recorded, image }) => ({
      repository: image.target.name,
      digest: image.root,
      tags: image.tags,
      mediaType: recorded.mediaType,
      size: recorded.size,
      reference: `${host}/${image.target.name}@${image.root}`,
    })),
  );
  const [only, ...more] = images;
  if (only && more.length === 0) setOutput('digest', only.digest);
  const json = JSON.stringify(images);
  if (json.length <= maxVariableLength) setOutput('images', json);
  else {
    agentLog.warn(
      `The output variable images is not set: ${images.length} images are too long for one. Use a step for each part of them where they are needed there.`,
    );
  }
}
