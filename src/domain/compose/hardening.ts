import type { BindMount, Healthcheck } from './types.ts';

/*
 * What every container gets, as it ran with the real programs (spacemesh.md §14.1, §14.2). One object per kind, shared
 * by all services of that kind: nothing in a prover's service may depend on how many others there are.
 */

/** One exec every two minutes; each costs the host 50 to 100 ms of CPU, and there may be hundreds of provers. */
const PROBE_INTERVAL = '2m';

/** The images have bash and nothing else to connect with; /bin/sh knows no /dev/tcp (spacemesh.md §3.6, §4). */
function connects(port: number): readonly string[] {
  return ['CMD', 'bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`];
}

export const OPERATOR_PORT = 50_051;

/** What every container of ours gets. */
export const COMMON_HARDENING = {
  // Without it SIGTERM is lost on the PID 1 of a post-service, and every stop takes the whole grace period.
  init: true,
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
  logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
} as const;

export const NODE_HARDENING = {
  restart: 'unless-stopped',
  ...COMMON_HARDENING,
  tmpfs: ['/tmp'],
  stop_grace_period: '60s',
  healthcheck: {
    // The ports open last: after migrations and up to 18 minutes per PoET that is away (spacemesh.md §4).
    test: connects(9092),
    interval: PROBE_INTERVAL,
    timeout: '5s',
    retries: 3,
    start_period: '6h',
    start_interval: '2s',
  } satisfies Healthcheck,
} as const;

export const PROVER_HARDENING = {
  restart: 'unless-stopped',
  ...COMMON_HARDENING,
  // It has nothing to say goodbye to: no signal handler, nothing on disk.
  stop_grace_period: '10s',
  // Memory that runs out must take a prover and never the node.
  oom_score_adj: 500,
  healthcheck: {
    // Only connects: /status does not answer for minutes while the RandomX dataset is built (spacemesh.md §14.1).
    test: connects(OPERATOR_PORT),
    interval: PROBE_INTERVAL,
    timeout: '5s',
    retries: 3,
    start_period: '1m',
    start_interval: '1s',
  } satisfies Healthcheck,
} as const;

export const JOB_HARDENING = {
  profiles: ['init'],
  restart: 'no',
  ...COMMON_HARDENING,
  // Labels are computed, not fetched; and a network that `down` removes would keep it from being started again.
  network_mode: 'none',
  tmpfs: ['/tmp'],
  // SIGINT ends after the running batch and keeps it; SIGTERM throws it away (spacemesh.md §14.4).
  stop_signal: 'SIGINT',
  stop_grace_period: '15m',
  oom_score_adj: 800,
} as const;

/** Never lets the engine make a missing folder: an unmounted disk must be an error and not an empty directory. */
export function bindMount(source: string, target: string, access: 'ro' | 'rw'): BindMount {
  return {
    type: 'bind',
    source,
    target,
    ...(access === 'ro' ? { read_only: true } : {}),
    bind: { create_host_path: false },
  };
}
