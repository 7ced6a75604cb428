/**
 * The emulator as a process of its own: `--port N --tls-dir DIR --flavour services|server --organization NAME`.
 * Says `{"url": …}` and its tokens on one line when it listens; SIGTERM ends it with 0.
 * `DIR` holds `key.pem`, `cert.pem` and `ca.pem`; they are made when they are not there.
 */
import { parseArgs } from 'node:util';
import { openTlsDirectory } from '../entra/tls-directory.ts';
import { startAzureDevOps } from './azure-devops.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'tls-dir': { type: 'string' },
    flavour: { type: 'string', default: 'services' },
    organization: { type: 'string' },
  },
});

const emulator = await startAzureDevOps({
  port: Number(values.port),
  flavour: values.flavour === 'server' ? 'server' : 'services',
  ...(values.organization === undefined ? {} : { organization: values.organization }),
  ...(values['tls-dir'] === undefined ? {} : { tls: await openTlsDirectory(values['tls-dir']) }),
});
const { url, releaseUrl, collectionId, token, pat } = emulator;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void emulator.close().then(() => process.exit(0)));
}
// Said last: whoever reads it may end this process at once.
console.log(JSON.stringify({ url, releaseUrl, collectionId, token, pat }));
