/** A whole run as a process of its own, so that its memory is nobody else's: an order on stdin, the result on stdout. */
import { text } from 'node:stream/consumers';
import { type CleanOrder, cleanHere } from './clean-client.ts';

console.log(JSON.stringify(await cleanHere(JSON.parse(await text(process.stdin)) as CleanOrder)));
