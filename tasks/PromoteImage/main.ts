/** PromoteImage: brings the images that a build recorded into the registry of a stage. */
import { runTask } from '../agent/run.ts';
import { readInputs } from './inputs.ts';

void runTask(async () => {
  readInputs();
});
