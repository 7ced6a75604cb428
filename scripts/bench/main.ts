/** `npm run bench -- NAME`: one measurement on emulators; says what it does, and its last line is JSON. */
import { type Bench, benches } from './benches.ts';

const [name = ''] = process.argv.slice(2);
const bench: Bench | undefined = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (bench) {
  console.log(bench.what);
  const figures = await bench.run(line => console.log(line));
  console.log(JSON.stringify({ bench: name, ...figures }));
} else {
  if (name) console.error(`There is no bench "${name}".`);
  for (const [each, { what }] of Object.entries(benches)) console.error(`npm run bench -- ${each}\n  ${what}`);
  process.exitCode = 2;
}
