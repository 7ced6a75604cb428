/** A certificate authority of one run, so that emulators speak TLS as Azure does and clients verify it. */
import { generate } from 'selfsigned';

/** PEM texts: give `key` and `cert` to the server, `ca` to every client. */
export interface TlsMaterial {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** Makes a fresh self-signed certificate for `localhost` and `127.0.0.1`, valid for one day. */
export async function createTls(): Promise<TlsMaterial> {
  const day = 24 * 60 * 60 * 1000;
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    notBeforeDate: new Date(Date.now() - day),
    notAfterDate: new Date(Date.now() + day),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert, ca: made.cert };
}
