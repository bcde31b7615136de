import { backup } from './backup.ts';
import { coinbase } from './coinbase.ts';
import { dataDirectories } from './data-directories.ts';
import { duplicateIdentity } from './duplicate-identity.ts';
import { images } from './images.ts';
import { initialisation } from './initialisation.ts';
import { jobs } from './jobs.ts';
import { log } from './log.ts';
import { memory } from './memory.ts';
import { names } from './names.ts';
import { nodeConfig } from './node-config.ts';
import { poetServe } from './poet-serve.ts';
import { poetServers } from './poet-servers.ts';
import { poetTimes } from './poet-times.ts';
import { ports } from './ports.ts';
import type { Finding, Rule, RuleInput } from './rule.ts';
import { schedule } from './schedule.ts';
import { size } from './size.ts';
import { threads } from './threads.ts';

const rules: readonly Rule[] = [
  duplicateIdentity,
  names,
  dataDirectories,
  coinbase,
  poetServers,
  poetTimes,
  poetServe,
  ports,
  nodeConfig,
  threads,
  log,
  images,
  memory,
  initialisation,
  jobs,
  size,
  schedule,
  backup,
];

/** Every rule, in the order in which faults matter. */
export function checkRules(input: RuleInput): readonly Finding[] {
  return rules.flatMap((rule) => rule(input));
}
