/** azure-pipelines-task-lib, loaded in silence: the one place that imports it. */
import './hush.ts';
import * as tl from 'azure-pipelines-task-lib/task.js';
import { unhush } from './hush.ts';

unhush();

export { tl };
