/** The registry as a process: `main.ts [--port N] [--tls-dir DIR]`. Prints one line of JSON when it listens; SIGTERM ends it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTls, type TlsMaterial } from '../tls.ts';
import { startAcr } from './acr.ts';

const names = { key: 'key.pem', cert: 'cert.pem', ca: 'ca.pem' } as const;

async function readTls(directory: string): Promise<TlsMaterial | undefined> {
  try {
    const [key, cert, ca] = await Promise.all(
      Object.values(names).map(name => readFile(join(directory, name), 'utf8')),
    );
    return { key: key as string, cert: cert as string, ca: ca as string };
  } catch {
    return undefined;
  }
}

/** Takes the certificate in `directory`, or makes one and leaves it there for others to trust. */
async function openTls(directory: string): Promise<TlsMaterial> {
  const existing = await readTls(directory);
  if (existing !== undefined) return existing;
  const made = await createTls();
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, names.key), made.key, { mode: 0o600 });
  await writeFile(join(directory, names.cert), made.cert);
  await writeFile(join(directory, names.ca), made.ca);
  return made;
}

const { values } = parseArgs({ options: { port: { type: 'string' }, 'tls-dir': { type: 'string' } } });
const own = values['tls-dir'] === undefined ? await mkdtemp(join(tmpdir(), 'acr-')) : undefined;
const directory = own ?? values['tls-dir'] ?? '';
const emulator = await startAcr({ tls: await openTls(directory), port: Number(values.port ?? 0) });

async function end(): Promise<never> {
  await emulator.close();
  if (own !== undefined) await rm(own, { recursive: true, force: true });
  return process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void end();
  });
}

// Last: whoever reads it may end this process at once.
console.log(JSON.stringify({ host: emulator.host, dataHost: emulator.dataHost, caFile: join(directory, names.ca) }));
