import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defaultRules } from '../../../core/lifecycle/rules.ts';
import { day, type Estate, hour, startEstate } from './estate.ts';

describe('what changes, or is not seen, while it is collected', () => {
  let estate: Estate;
  beforeEach(async () => {
    estate = await startEstate();
  });
  afterEach(() => estate.close());

  it('a referrer beside a tagged one goes, though their subject stays', async () => {
    const { acr, ado } = estate;
    const image = acr.world.putImage('app');
    const sbom = acr.world.putArtifact('app', { artifactType: 'application/vnd.sbom', subject: image, content: 's' });
    const index = acr.world.putIndex('app', [image, sbom]);
    acr.world.putArtifact('app', {
      artifactType: 'application/vnd.scan',
      subject: image,
      content: 'a',
      tags: ['audit'],
    });
    const id = await estate.build([{ repository: 'app', reference: index.digest }]);
    ado.world.deleteBuild(id);
    await estate.settle();
    assert.ok(acr.world.has('app', image.digest), 'subject');
    assert.ok(acr.world.has('app', sbom.digest), 'sbom');
  });

  const dueImage = async (): Promise<string> => {
    const { digest } = estate.acr.world.putImage('app');
    estate.acr.world.putImage('app', { tags: ['other'] });
    const id = await estate.build([{ repository: 'app', reference: digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    return digest;
  };

  it('an index pushed just now that cannot be read yet', async () => {
    const { acr } = estate;
    const digest = await dueImage();
    let index: string | undefined;
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'manifests.list' && request.query['orderby'] && phase === 'before' && !index) {
        index = acr.world.putIndex(
          'app',
          [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }],
          { tags: ['v2'] },
        ).digest;
        acr.faults.add({ operation: 'manifest.get', path: new RegExp(index) }, { kind: 'status', status: 404 });
      }
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(index);
    assert.ok(acr.world.has('app', digest));
  });

  it('a 404 of a proxy for the list of referrers', async () => {
    const { acr } = estate;
    const image = acr.world.putImage('app');
    acr.world.putArtifact('app', { artifactType: 'application/vnd.scan', subject: image, tags: ['audit'] });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    acr.faults.add({ operation: 'referrers.list', count: 1 }, { kind: 'status', status: 404 });
    await estate.reconcile();
    assert.ok(acr.world.has('app', 'audit'));
  });

  it('a 404 for the tags of a digest that was tagged just now', async () => {
    const { acr } = estate;
    const digest = await dueImage();
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'referrers.list' && phase === 'before') acr.world.tag('app', 'rescued', digest);
      return 'proceed';
    };
    acr.faults.add({ operation: 'tags.list', path: /digest=/ }, { kind: 'status', status: 404 });
    await estate.reconcile().catch(() => undefined);
    assert.ok(acr.world.has('app', 'rescued'));
  });

  for (const [name, effect] of [['404', { kind: 'status', status: 404 }]] as const) {
    it(`the newest manifests answer ${name}`, async () => {
      const { acr } = estate;
      const digest = await dueImage();
      if (effect) acr.faults.add({ operation: 'manifests.list', path: /orderby/ }, effect);
      let pushed = false;
      acr.faults.intercept = (request, phase) => {
        if (request.operation === 'manifests.list' && request.query['orderby'] && phase === 'before' && !pushed) {
          pushed = true;
          acr.world.putIndex('app', [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }], {
            tags: ['v2'],
          });
        }
        return 'proceed';
      };
      await estate.reconcile();
      assert.ok(pushed);
      assert.ok(acr.world.has('app', digest));
    });
  }

  it('a signature that refers to the image gets a second tag', async () => {
    const { acr } = estate;
    const image = acr.world.putImage('app');
    const signature = acr.world.putArtifact('app', {
      artifactType: 'application/vnd.sig',
      subject: image,
      tags: [`${image.digest.replace(':', '-')}.sig`],
    });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'referrers.list' && phase === 'before' && acr.world.has('app', signature.digest))
        acr.world.tag('app', 'v1-audit', signature.digest);
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(acr.world.has('app', 'v1-audit'));
  });

  it('a hidden index, while another cleaner deletes', async () => {
    const { acr } = estate;
    const image = acr.world.putImage('app');
    const index = acr.world.putIndex('app', [image], { tags: ['hidden'] });
    acr.world.setAttributes('app', 'hidden', { listEnabled: false });
    acr.world.setAttributes('app', index.digest, { listEnabled: false });
    const other = acr.world.putImage('app', { tags: ['other'] });
    const id = await estate.build([{ repository: 'app', reference: image.digest }]);
    estate.ado.world.deleteBuild(id);
    await estate.reconcile();
    estate.advance(25 * hour);
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'manifests.list' && !request.query['orderby'] && phase === 'after')
        acr.world.deleteManifest('app', other.digest);
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(acr.world.has('app', image.digest));
  });

  it('the brake forgets what was released where the grace is short', async () => {
    const { acr, ado } = estate;
    estate.rules = {
      ...estate.rules,
      graceMs: hour,
      brake: { ...defaultRules.brake, deleted: { images: 2, percent: 100 } },
    };
    const images = (n: number) =>
      Array.from({ length: n }, (_, at) => {
        const repository = `r${randomUUID().slice(0, 8)}${at}`;
        return { repository, reference: acr.world.putImage(repository).digest };
      });
    const first = images(2);
    const one = await estate.build(first);
    const two = await estate.build(images(2));
    acr.world.putArtifact(first[0]!.repository, {
      artifactType: 'application/vnd.scan',
      subject: acr.world.manifest(first[0]!.repository, first[0]!.reference)! as never,
      tags: ['audit'],
    });
    ado.world.deleteBuild(one);
    await estate.reconcile();
    estate.advance(2 * hour);
    await estate.reconcile();
    ado.world.deleteBuild(two);
    const report = await estate.reconcile();
    assert.notEqual(report.braked, undefined);
  });

  it('an image that is pushed again between the list and the sweep', async () => {
    const { acr } = estate;
    acr.behaviour.repushMovesTime = true;
    const digest = await dueImage();
    let pushed = false;
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'manifests.list' && request.query['orderby'] && phase === 'before' && !pushed) {
        pushed = true;
        acr.world.putManifest('app', acr.world.manifest('app', digest)!.bytes);
      }
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(pushed);
    assert.ok(acr.world.has('app', digest));
  });

  it('an index pushed within a batch', async () => {
    const { acr } = estate;
    const digest = await dueImage();
    let pushed = false;
    acr.faults.intercept = (request, phase) => {
      if (request.operation === 'referrers.list' && phase === 'before' && !pushed) {
        pushed = true;
        // Throttled for a while, as referrers are.
        estate.advance(3000);
        acr.world.putIndex('app', [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 }], {
          tags: ['v2'],
        });
      }
      return 'proceed';
    };
    await estate.reconcile();
    assert.ok(pushed);
    assert.ok(acr.world.has('app', digest));
  });

  for (const [name, shift] of [
    ['ahead', 400 * day],
    ['behind', -400 * day],
  ] as const) {
    it(`one answer whose Date is far ${name}`, async () => {
      const { acr, ado, surroundings } = estate;
      const { digest } = acr.world.putImage('app');
      const id = await estate.build([{ repository: 'app', reference: digest }]);
      estate.advance(3 * day);
      ado.world.deleteBuild(id);
      const { registry } = surroundings;
      // A cached answer, or one of a replica whose clock is wrong, is the latest for a moment.
      const shifted = { ...registry, time: () => registry.time()! + shift };
      const mutable = surroundings as { registry: typeof registry };
      if (shift < 0) mutable.registry = shifted;
      await estate.reconcile().catch(() => undefined);
      mutable.registry = shift < 0 ? registry : shifted;
      estate.advance(hour);
      await estate.reconcile().catch(() => undefined);
      assert.ok(acr.world.has('app', digest), 'the grace is not over');
    });
  }
});
