/** The story itself, told while it happens: from the push to the end of everything that may go. */
import { installTheOldest, packageCharts } from './charting.ts';
import { cleanProduction } from './cleaning.ts';
import { collect, notify, release } from './deletion.ts';
import { endTheLast } from './end.ts';
import { startHandler } from './handler.ts';
import { moveOn, passAMonth } from './holding.ts';
import { promoteToProduction, promoteToQa } from './promotion.ts';
import { type Beginning, setScene } from './scene.ts';
import { check } from './story.ts';
import { pushAndTag } from './tagging.ts';

/** Plays it. */
export async function live(beginning: Beginning): Promise<void> {
  const before = await setScene(beginning);
  await pushAndTag(before);
  const scene = await packageCharts(before);
  await promoteToQa(scene);
  await promoteToProduction(scene);
  const handler = await startHandler(scene);
  await passAMonth(scene);
  await moveOn(scene);
  await notify(scene, handler);
  await release(scene);
  await collect(scene);
  await endTheLast(scene);
  await installTheOldest(scene);
  await cleanProduction(scene);
  check('the webhook handler stopped when it was told to, with exit code 0', (await handler.stop()) === 0);
}
