import type { FoundProgram, NotExpressible } from './found.ts';
import { shownValue } from './found.ts';

const OVERRIDE = 'not carried over; compose.override.yaml can say it';

/** Keys of a Compose service, or what the engine calls so, and what becomes of them (docs/design.md, "What is emitted"). */
const MEANINGS: Readonly<Record<string, string>> = {
  restart: 'becomes unless-stopped, so that a stopped prover stays stopped over a reboot',
  depends_on:
    'left out on purpose: Compose would recreate every prover together with the node, and proofs be lost',
  links: 'left out on purpose, as depends_on: provers find the node by its name',
  networks: "all services share the project's own network, without fixed addresses",
  network_mode: "all services share the project's own network; only the node's ports are published",
  privileged: 'left out: nothing here needs privileges',
  cap_add: 'left out: all capabilities are dropped',
  devices: 'left out: proving runs on the CPU',
  device_cgroup_rules: 'left out: proving runs on the CPU',
  gpus: 'left out: proving runs on the CPU',
  runtime: 'left out: proving runs on the CPU',
  healthcheck: 'replaced by a probe that costs the host little',
  logging: 'replaced: json-file, three files of 10 MB',
  stop_grace_period: 'replaced: 60s for the node, 10s for a prover',
  stop_signal: 'left out: the usual one',
  oom_score_adj: 'replaced: a prover is killed before the node when memory runs out',
  init: 'becomes true',
  read_only: 'becomes true',
  tmpfs: 'replaced',
  build: 'images are not built by this project: the image that runs is named, or a release in its place',
  profiles: 'left out: it would not be started',
  scale: 'left out: two services for one identity keep each other out',
  deploy: OVERRIDE,
  labels: OVERRIDE,
  env_file: OVERRIDE,
};

/** What every service of this project has anyway: nothing is lost with these. */
const SAME: readonly ((key: string, value: unknown) => boolean)[] = [
  (key, value) => key === 'restart' && value === 'unless-stopped',
  (key, value) => key === 'networks' && JSON.stringify(value) === '{"default":null}',
  (key, value) => (key === 'init' || key === 'read_only') && value === true,
  (key, value) => key === 'cap_drop' && JSON.stringify(value) === '["ALL"]',
  (key, value) => key === 'security_opt' && /^\["no-new-privileges(:true)?"\]$/.test(JSON.stringify(value)),
  (key) => key === 'pull_policy' || key === 'platform',
];

/** Everything of a definition that is neither taken over nor part of every service here. */
export function leftoversOf(program: FoundProgram): readonly NotExpressible[] {
  return program.rest
    .filter(({ key, value }) => !SAME.some((is) => is(key, value)))
    .map(({ key, value }) => ({
      service: program.name,
      key,
      value: shownValue(key, value),
      meaning: MEANINGS[key] ?? OVERRIDE,
    }));
}

/** Variables that nothing was made of. */
export function leftEnvironment(
  program: FoundProgram,
  taken: ReadonlySet<string>,
): readonly NotExpressible[] {
  return Object.entries(program.environment)
    .filter(([name]) => !taken.has(name))
    .map(([name, value]) => ({
      service: program.name,
      key: `environment ${name}`,
      value: shownValue(name, value),
      meaning: name === 'TZ' ? 'left out: logs are in UTC' : OVERRIDE,
    }));
}

/** Mounts that nothing was made of. */
export function leftMounts(program: FoundProgram, taken: ReadonlySet<string>): readonly NotExpressible[] {
  return program.mounts
    .filter(({ target, kind }) => !taken.has(target) && kind !== 'tmpfs')
    .map(({ source, target }) => ({
      service: program.name,
      key: 'volume',
      value: `${source}:${target}`,
      meaning: OVERRIDE,
    }));
}
