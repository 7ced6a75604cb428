/**
 * The emulator as a process of its own: `--port N --tls-dir DIR`. Says `{"url": …}` on one line when it listens; SIGTERM
 * ends it with 0. `DIR` holds `key.pem`, `cert.pem` and `ca.pem`; they are made when they are not there, so that
 * emulators that share a directory share an authority: clients take it from `NODE_EXTRA_CA_CERTS=DIR/ca.pem`.
 */
import { parseArgs } from 'node:util';
import { createTls } from '../tls.ts';
import { startEntra } from './entra.ts';
import { openTlsDirectory } from './tls-directory.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'tls-dir': { type: 'string' } },
});

const directory = values['tls-dir'];
const tls = directory === undefined ? await createTls() : await openTlsDirectory(directory);
const emulator = await startEntra({ port: Number(values.port), tls });
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void emulator.close().then(() => process.exit(0)));
}
// Said last: whoever reads it may end this process at once.
console.log(JSON.stringify({ url: emulator.url }));
