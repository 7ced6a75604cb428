/** Starts mocha in a process group of its own and makes sure that nothing of it outlives it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const root = resolve(import.meta.dirname, '..');

/** Runs mocha with `args`; gives its exit code, or 1 when a server was left behind, which is ended then. */
export async function runMocha(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const mocha = resolve(root, 'node_modules/mocha/bin/mocha.js');
  const child = spawn(process.execPath, ['--import', 'tsx', mocha, ...args], {
    cwd: root,
    stdio: 'inherit',
    detached: true,
    env: { ...process.env, ...env },
  });
  const stop = (): void => void (child.pid !== undefined && endGroup(child.pid));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (child.pid !== undefined && !(await isEmptySoon(child.pid)) && endGroup(child.pid)) {
    console.error('The tests left a process behind; it was ended.');
    return 1;
  }
  return code ?? 1;
}

/** Workers of mocha and esbuild end by themselves when their parent did; a server that a test left does not. */
async function isEmptySoon(group: number): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      process.kill(-group, 0);
    } catch {
      return true;
    }
    await setTimeout(100);
  }
  return false;
}

/** Ends a process group; gives whether there was still anything in it. */
function endGroup(group: number): boolean {
  try {
    process.kill(-group, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
