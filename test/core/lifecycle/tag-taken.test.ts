/** A build tag that is on another image is not taken, unless an earlier attempt of this very job put it there. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import { type BuildOptions, type Estate, startEstate } from './estate.ts';

describe('a build tag that is taken', () => {
  let estate: Estate;
  let id: number;
  let first: string;
  let second: string;
  beforeEach(async () => {
    estate = await startEstate();
    first = estate.acr.world.putImage('app').digest;
    second = estate.acr.world.putImage('app').digest;
    id = await estate.build([{ repository: 'app', reference: first }], { attempt: '1.2' });
  });
  afterEach(() => estate.close());

  const tagSecond = (options: BuildOptions) => estate.tag(id, [{ repository: 'app', reference: second }], options);
  const staysAt = async (digest: string, options: BuildOptions): Promise<void> => {
    const before = estate.acr.world.snapshot();
    await rejects(tagSecond(options), { code: 'TAG_TAKEN' });
    deepEqual(estate.acr.world.snapshot(), before, 'nothing was changed');
    equal(estate.acr.world.tags('app')[id], digest);
  };

  it('is moved by a later attempt of the job or of its stage', async () => {
    await tagSecond({ attempt: '1.3' });
    equal(estate.acr.world.tags('app')[id], second);
    await estate.tag(id, [{ repository: 'app', reference: first }], { attempt: '2.1' });
    equal(estate.acr.world.tags('app')[id], first);
  });

  it('stays for another step of the same attempt, and for an attempt that was before it', () =>
    Promise.all(['1.2', '1.1'].map(attempt => rejects(tagSecond({ attempt }), { code: 'TAG_TAKEN' }))));

  it('stays where somebody moved it since the earlier attempt', async () => {
    const theirs = estate.acr.world.putImage('app').digest;
    estate.acr.world.tag('app', String(id), theirs);
    await staysAt(theirs, { attempt: '2.1' });
  });

  it('stays where the earlier attempt had that image in another repository alone', async () => {
    const { world } = estate.acr;
    const bytes = world.manifest('app', first)!.bytes;
    const other = await estate.build([{ repository: 'app', reference: first }], { attempt: '1.1' });
    world.putManifest('elsewhere', bytes, { tags: [String(other)] });
    const { digest } = world.putImage('elsewhere');
    const before = world.snapshot();
    const images = [{ repository: 'elsewhere', reference: digest }];
    await rejects(estate.tag(other, images, { attempt: '2.1' }), { code: 'TAG_TAKEN' });
    deepEqual(world.snapshot(), before);
  });

  it('is an error to try again where another job moves it at the same time', async () => {
    estate.acr.faults.intercept = (request, phase) => {
      const isTag = request.operation === 'manifest.put' && request.repository === 'app';
      if (isTag && phase === 'after') estate.acr.world.tag('app', String(id), first);
      return 'proceed';
    };
    await rejects(tagSecond({ attempt: '1.3' }), { code: 'TAG_TAKEN', retryable: true });
  });
});
