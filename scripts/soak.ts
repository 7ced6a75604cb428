/** `npm run soak`: the long runs. Random worlds by the thousand, and a kill at every request of many of them. */
import { build } from './build.ts';
import { runMocha } from './run-mocha.ts';

const worlds = process.env['RANDOM_WORLDS'] ?? '3000';
console.log(`Living ${worlds} random worlds of each kind; SEED=… repeats one, RANDOM_WORLDS=… sets their number.`);
await build();
const suites = [
  'core/lifecycle/laws',
  'core/lifecycle/veto-laws',
  'core/lifecycle/keep-policy/keep-plan-laws',
  'core/lifecycle/cleaning/interrupted-cleaning',
  'core/lifecycle/killed',
  'core/oci/copy-random',
  'webhook-handler/receive',
].flatMap(name => ['--spec', `test/${name}.test.ts`]);
process.exit(
  await runMocha(['--config', 'test/soak.mocharc.json', '--reporter', 'spec', ...suites], { RANDOM_WORLDS: worlds }),
);
