/**
 * The emulator as a process of its own, with the registries that it knows, because an import reaches into two of them:
 * `--registries NAME,NAME --port N --tls-dir DIR`. Says `{"url", "subscriptionId", "caFile", "registries": {NAME: {"host",
 * "dataHost", "resourceId"}}}` on one line when all listen; SIGTERM ends it with 0. Each registry is driven under its own
 * `/_emulator/`. `DIR` holds `key.pem`, `cert.pem` and `ca.pem`; they are made when they are not there.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startAcr } from '../acr/acr.ts';
import { openTlsDirectory } from '../entra/tls-directory.ts';
import { startArm } from './arm.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'tls-dir': { type: 'string' },
    registries: { type: 'string', default: '' },
  },
});

const own = values['tls-dir'] === undefined ? await mkdtemp(join(tmpdir(), 'arm-')) : undefined;
const directory = own ?? values['tls-dir'] ?? '';
const tls = await openTlsDirectory(directory);
const arm = await startArm({ port: Number(values.port), tls });
const names = values.registries.split(',').filter(name => name !== '');
const started = await Promise.all(
  names.map(async name => {
    const acr = await startAcr({ tls });
    const { resourceId } = arm.world.addRegistry({ name, acr });
    return { name, acr, said: { host: acr.host, dataHost: acr.dataHost, resourceId } };
  }),
);

async function end(): Promise<never> {
  await Promise.all([arm.close(), ...started.map(({ acr }) => acr.close())]);
  if (own !== undefined) await rm(own, { recursive: true, force: true });
  return process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void end();
  });
}

const registries = Object.fromEntries(started.map(({ name, said }) => [name, said]));
// Said last: whoever reads it may end this process at once.
console.log(
  JSON.stringify({
    url: arm.url,
    subscriptionId: arm.world.subscriptionId,
    caFile: join(directory, 'ca.pem'),
    registries,
  }),
);
