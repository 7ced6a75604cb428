import assert from 'node:assert/strict';
import { canonicalOrganization, isOfServices, releasesUrlOf } from '../../../core/azure-devops/organization-url.ts';

describe('the addresses of an organization', () => {
  const addresses: [url: string, canonical: string, isServices: boolean, releases: string][] = [
    ['https://dev.azure.com/Contoso/', 'https://dev.azure.com/contoso', true, 'https://vsrm.dev.azure.com/Contoso'],
    [
      'https://contoso.visualstudio.com',
      'https://dev.azure.com/contoso',
      true,
      'https://contoso.vsrm.visualstudio.com',
    ],
    [
      'https://CONTOSO.visualstudio.com/DefaultCollection',
      'https://dev.azure.com/contoso',
      true,
      'https://contoso.vsrm.visualstudio.com/DefaultCollection',
    ],
    [
      'https://tfs.contoso.example/tfs/DefaultCollection',
      'https://tfs.contoso.example/tfs/defaultcollection',
      false,
      'https://tfs.contoso.example/tfs/DefaultCollection',
    ],
    [
      'https://dev.azure.com.evil.example/contoso',
      'https://dev.azure.com.evil.example/contoso',
      false,
      'https://dev.azure.com.evil.example/contoso',
    ],
    [
      'https://evil.example/dev.azure.com',
      'https://evil.example/dev.azure.com',
      false,
      'https://evil.example/dev.azure.com',
    ],
    ['https://a.b.visualstudio.com/x', 'https://a.b.visualstudio.com/x', false, 'https://a.b.visualstudio.com/x'],
    ['http://dev.azure.com/contoso', 'http://dev.azure.com/contoso', false, 'http://dev.azure.com/contoso'],
  ];
  for (const [url, canonical, isServices, releases] of addresses) {
    it(`are known of ${url}`, () => {
      assert.deepEqual(
        [canonicalOrganization(url), isOfServices(url), releasesUrlOf(url)],
        [canonical, isServices, releases],
      );
    });
  }
});
