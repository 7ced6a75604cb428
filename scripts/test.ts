/** `npm test`: every test. What it needs and is missing is installed, or said in one line. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { helms, packedHelm } from '../test/support/helm.ts';
import { node24 } from '../test/support/run-task.ts';
import { build } from './build.ts';
import { runMocha } from './run-mocha.ts';

const root = resolve(import.meta.dirname, '..');

/** Real registries and clients that judge ours; Debian's packages have the names of the commands. */
const witnesses = ['docker-registry', 'skopeo'];

function prepare(): boolean {
  const missing = witnesses.filter(command => !isInstalled(command));
  if (missing.length > 0) {
    console.error(`Missing: ${missing.join(', ')}. On Debian, as root: apt-get install -y ${missing.join(' ')}`);
    return false;
  }
  installApart('Node 24 that tasks are tested on as well', 'node24', node24);
  installApart('helm that judges charts', 'helm', packedHelm);
  for (const { version, path, module } of helms) {
    if (module === undefined || existsSync(path)) continue;
    console.log(`Building helm ${version}, which judges charts where Go is …`);
    const env = { ...process.env, GOBIN: dirname(path), GOFLAGS: '', CGO_ENABLED: '0' };
    execFileSync('go', ['install', module], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return true;
}

/** What is not to stand in `node_modules/.bin`, in front of everybody's own. */
function installApart(what: string, name: string, binary: string): void {
  if (existsSync(binary)) return;
  console.log(`Installing the ${what} …`);
  const folder = resolve(root, 'test/support', name);
  execFileSync('npm', ['ci', '--prefix', folder], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function isInstalled(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some(folder => existsSync(resolve(folder, command)));
}

if (!prepare()) process.exit(1);
await build();
process.exit(
  await runMocha([
    '--parallel',
    '--jobs',
    '2',
    '--reporter-option',
    'output=dist/test-report.json',
    ...process.argv.slice(2),
  ]),
);
