import { deepEqual } from 'node:assert/strict';
import { findImages } from '../../../core/kubernetes/find-images.ts';

describe('images that a custom resource names', () => {
  it('are found where a text reads as one, whatever letters its host has, and nowhere else', () => {
    const names = ['Contoso.azurecr.io/shop/web:4711', 'localhost:5000/web', 'web', 'shop/web:v1'];
    const others = ['IfNotPresent', 'https://contoso.example/logo.png', 'two words', 'Shop/Web', ''];
    deepEqual(findImages({ spec: [...names, ...others].map(image => ({ image })) }), names.sort());
  });
});
