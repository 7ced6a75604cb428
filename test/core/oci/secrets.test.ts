import assert from 'node:assert/strict';
import { readRepositoryProperties } from '../../../core/acr/attributes.ts';
import { createAcrCredentials } from '../../../core/acr/sign-in.ts';
import { openBlob } from '../../../core/oci/blobs.ts';
import { type Credentials, findDockerCredentials } from '../../../core/oci/credentials.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { getManifest } from '../../../core/oci/manifests.ts';
import { listTags } from '../../../core/oci/tags.ts';
import { putBlob } from '../../../core/oci/upload.ts';
import type { FaultEffect } from '../../emulators/acr/faults.ts';
import { issueToken } from '../../emulators/tokens.ts';
import { type AcrWorld, admin, everyWord, readAll, startAcrWorld } from './world.ts';

/** What must be found nowhere: the password, its Base64, and the beginning of every token that the emulators sign. */
const secrets = [
  /admin-password/,
  new RegExp(Buffer.from('admin:admin-password').toString('base64')),
  /eyJ[\w-]{10}/,
  /sig=/,
  /Bearer [^r]/,
  /Basic [^r]/,
];

describe('secrets', () => {
  let world: AcrWorld;
  const content = Buffer.from('content');
  beforeEach(async () => {
    world = await startAcrWorld();
    world.acr.world.putImage('team/app', { tags: ['v1'] });
    world.acr.world.putBlob('team/app', content);
  });
  afterEach(() => world.close());
  const entra = (): Credentials =>
    createAcrCredentials({
      host: world.acr.host,
      entraToken: async () =>
        issueToken({
          aud: 'https://containerregistry.azure.net',
          oid: 'me',
          exp: Math.floor(world.acr.clock.now() / 1000) + 3600,
        }),
      http: world.http,
    });
  /** Does a bit of everything; gives each error. */
  const work = async (credentials: Credentials): Promise<unknown[]> => {
    const app = world.open('team/app', ['pull', 'push', 'metadata_read'], credentials);
    const ends = await Promise.allSettled([
      getManifest(app, 'v1'),
      listTags(app),
      openBlob(app, computeDigest(content)).then(readAll),
      putBlob(app, Buffer.from('more')),
      readRepositoryProperties(app),
    ]);
    return ends.flatMap(end => (end.status === 'rejected' ? [end.reason as unknown] : []));
  };
  const check = (errors: readonly unknown[]): void => {
    const words = [...errors.map(everyWord), ...world.log.lines];
    assert.ok(words.length > 0);
    for (const word of words) for (const secret of secrets) assert.doesNotMatch(word, secret);
  };

  const effects: Record<string, [number, FaultEffect]> = {
    nothing: [0, { kind: 'slow', ms: 0 }],
    'refusals (401)': [5, { kind: 'status', status: 401 }],
    'refusals (403)': [5, { kind: 'status', status: 403 }],
    'errors (400)': [5, { kind: 'status', status: 400 }],
    'errors (500)': [5, { kind: 'status', status: 500 }],
    cuts: [5, { kind: 'cut', when: 'before' }],
    'cuts in the middle': [4, { kind: 'cut', when: 'body' }],
    'other bytes': [4, { kind: 'corrupt' }],
  };
  for (const [name, [failures, effect]] of Object.entries(effects)) {
    for (const kind of ['password', 'entra'] as const) {
      it(`are in no log and no error through ${name}, signed in by ${kind}`, async () => {
        world.acr.faults.add({}, effect);
        const errors = await work(kind === 'password' ? admin : entra());
        assert.ok(failures === 0 ? errors.length === 0 : errors.length >= failures, `${errors.length} failed`);
        check(errors);
        world.acr.faults.clear();
        world.acr.faults.add({ operation: 'oauth2.token', nth: 2 }, effect);
        check(await work(kind === 'password' ? admin : entra()));
      });
    }
  }

  it('of a Docker configuration that is broken are not quoted', () => {
    const auth = Buffer.from('admin:admin-password').toString('base64');
    for (const text of [
      `{"auths":{"a.io":{"auth":"${auth}" "x"}}}`,
      `admin-password`,
      `{"auths":{"a.io":"${auth}"}}`,
      '[]',
      'null',
    ]) {
      assert.throws(
        () => findDockerCredentials(text, 'a.io'),
        thrown => secrets.every(secret => !secret.test(everyWord(thrown))) && /not a Docker conf/.test(String(thrown)),
      );
    }
  });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const find = (auths: object, host = 'a.io') => findDockerCredentials(JSON.stringify({ auths }), host);

describe('a Docker configuration', () => {
  it('has a password for exactly one host', () => {
    const auths = {
      'https://a.io/v1/': { auth: base64('me:pass:word') },
      'a.io:5000': { username: 'you', password: 'p' },
    };
    assert.deepEqual(find(auths), { kind: 'password', username: 'me', password: 'pass:word' });
    assert.deepEqual(find(auths, 'a.io:5000'), { kind: 'password', username: 'you', password: 'p' });
    for (const host of ['b.io', 'io', 'x.a.io', 'a.io:443', 'a.io.evil.com', ''])
      assert.equal(find(auths, host), undefined);
  });

  it('has a refresh token', async () => {
    const found = find({ 'a.io': { auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'secret' } });
    assert.equal(found?.kind === 'refreshToken' && (await found.obtain()), 'secret');
  });

  it('has nothing where a helper keeps it', () => {
    assert.equal(find({ 'a.io': {} }), undefined);
    assert.equal(find({ 'a.io': { auth: '' } }), undefined);
    assert.equal(find({ 'a.io': { auth: base64('no colon') } }), undefined);
    assert.equal(findDockerCredentials('{"credsStore":"desktop"}', 'a.io'), undefined);
  });
});
