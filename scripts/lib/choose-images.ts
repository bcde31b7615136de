// Which programs the demo runs: the official images when they can be pulled, the stand-ins otherwise.
// Says which on stderr; prints the options for `smesh-compose rehearse` on stdout, one per line.

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { DEFAULT_IMAGES } from '../../src/domain/node/images.ts';

const STAND_INS = {
  node: 'smesh-sim/go-spacemesh:v1.7.6',
  prover: 'smesh-sim/post-service:v0.8.5',
  initialisation: 'smesh-sim/postcli:v0.12.9',
};
const PULL_LIMIT_MS = 10 * 60_000;

/** Proofs of the stand-ins take seconds, also ten at a time on two cores. */
const STAND_IN_EPOCH = '42s';

type Images = Readonly<Record<keyof typeof STAND_INS, string>>;

function docker(args: readonly string[], timeout?: number): { readonly ok: boolean; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8', timeout });
  return { ok: status === 0, text: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

/**
 * Pulls and answers the registry's digest. A tag alone proves nothing: anything on this machine can carry it, so an
 * image counts as official only after a pull that worked and with a digest that a registry gave it.
 */
function pull(image: string): { readonly digest: string } | { readonly fault: string } {
  const pulled = docker(['pull', '--quiet', image], PULL_LIMIT_MS);
  if (!pulled.ok) return { fault: pulled.text.split('\n').at(-1) ?? 'no answer' };
  const repository = image.replace(/:[^:/]+$/, '');
  const digests = docker([
    'image',
    'inspect',
    '--format',
    '{{range .RepoDigests}}{{println .}}{{end}}',
    image,
  ]);
  const digest = digests.text
    .split('\n')
    .find((line) => line.replace(/^docker\.io\//, '').startsWith(`${repository}@`));
  return digest === undefined ? { fault: 'the pulled image has no digest from a registry' } : { digest };
}

function choose(): Images {
  const wanted: Images = {
    node: process.env.SMESH_NODE_IMAGE ?? DEFAULT_IMAGES.node,
    prover: process.env.SMESH_POST_IMAGE ?? DEFAULT_IMAGES.prover,
    initialisation: process.env.SMESH_POSTCLI_IMAGE ?? DEFAULT_IMAGES.initialisation,
  };
  const digests: string[] = [];
  for (const image of Object.values(wanted)) {
    const result = pull(image);
    if ('fault' in result) {
      console.error(`images: ${image} cannot be pulled (${result.fault})`);
      console.error(
        'images: STAND-INS. They speak the real protocols and keep the real rules; they prove nothing.',
      );
      return STAND_INS;
    }
    digests.push(result.digest);
  }
  console.error('images: OFFICIAL, pulled from their registry:');
  for (const digest of digests) console.error(`  ${digest}`);
  return wanted;
}

const images = choose();
console.log(`--node-image=${images.node}`);
console.log(`--post-image=${images.prover}`);
console.log(`--postcli-image=${images.initialisation}`);
if (images === STAND_INS) console.log(`--epoch=${STAND_IN_EPOCH}`);
