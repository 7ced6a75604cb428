/** Packaging as a process of its own: an order on stdin, the result on stdout. */
import { text } from 'node:stream/consumers';
import { type PackageOrder, packageHere } from './package-client.ts';

async function main(): Promise<void> {
  console.log(JSON.stringify(await packageHere(JSON.parse(await text(process.stdin)) as PackageOrder)));
}

void main();
