/** Planning as a process of its own: a world on stdin, the result on stdout. */
import { text } from 'node:stream/consumers';
import { planHere } from './plan-client.ts';
import type { PlanWorld } from './plan-world.ts';

console.log(JSON.stringify(planHere(JSON.parse(await text(process.stdin)) as PlanWorld)));
