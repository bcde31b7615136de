/** Who may join a round: a valid signature, and a certificate or a proof of work (spacemesh.md §7.2, §7.3). */
import { createPublicKey, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { leadingZeroBits, powHash } from '../common/poet-work.ts';
import type { Settings } from './settings.ts';

/** gRPC codes, as the REST gateway shows them. */
export const codes = {
  invalidArgument: { code: 3, http: 400 },
  notFound: { code: 5, http: 404 },
  alreadyExists: { code: 6, http: 409 },
  resourceExhausted: { code: 8, http: 429 },
  unimplemented: { code: 12, http: 501 },
  unavailable: { code: 14, http: 503 },
  unauthenticated: { code: 16, http: 401 },
} as const;

export class Refusal extends Error {
  readonly status: (typeof codes)[keyof typeof codes];

  constructor(status: (typeof codes)[keyof typeof codes], message: string) {
    super(message);
    this.status = status;
  }
}

const bytes = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]*={0,2}$/)
  .default('')
  .transform((text) => Buffer.from(text, 'base64'));

/** protobuf's JSON: numbers of 64 bits as text or number, fields that are missing are zero. */
const request = z.strictObject({
  nonce: z
    .union([z.string().regex(/^\d{1,20}$/), z.number().int().nonnegative()])
    .default('0')
    .transform(BigInt),
  powParams: z.object({ difficulty: z.number().int().nonnegative().default(0), challenge: bytes }).nullish(),
  prefix: bytes,
  challenge: bytes,
  pubkey: bytes,
  signature: bytes,
  deadline: z.iso.datetime({ offset: true }).nullish(),
  certificate: z.object({ data: bytes, signature: bytes }).nullish(),
  certificatePubkeyHint: bytes,
});

export type SubmitRequest = z.infer<typeof request>;

/** @throws Refusal 400 */
export function readSubmit(body: string): SubmitRequest {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw new Refusal(codes.invalidArgument, `proto: syntax error: ${(error as Error).message}`);
  }
  const parsed = request.safeParse(json);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new Refusal(codes.invalidArgument, `proto: invalid value for field ${field}`);
}

/** @throws Refusal 400 for what is wrong in itself, 401 for a certificate that is not trusted */
export function checkSubmit(
  {
    pubkey,
    prefix,
    challenge,
    signature,
    powParams,
    nonce,
    certificate,
    certificatePubkeyHint,
  }: SubmitRequest,
  settings: Settings,
  powChallenge: Buffer,
): void {
  if (pubkey.length !== 32) throw new Refusal(codes.invalidArgument, 'invalid public key');
  if (!isSigned(pubkey, Buffer.concat([prefix, challenge]), signature)) {
    throw new Refusal(codes.invalidArgument, 'invalid signature');
  }
  const trusted = trustedKeys(settings);
  if (certificate != null && trusted.length > 0) {
    const hinted = trusted.filter((key) =>
      key.subarray(0, certificatePubkeyHint.length).equals(certificatePubkeyHint),
    );
    const valid =
      hinted.some((key) => isSigned(key, certificate.data, certificate.signature)) &&
      certificate.data.includes(pubkey);
    if (!valid) throw new Refusal(codes.unauthenticated, 'invalid certificate');
    return;
  }
  const { powDifficulty } = settings;
  if (
    powParams == null ||
    !powParams.challenge.equals(powChallenge) ||
    powParams.difficulty !== powDifficulty
  ) {
    throw new Refusal(codes.invalidArgument, 'invalid proof of work parameters');
  }
  if (leadingZeroBits(powHash(powChallenge, pubkey, challenge, nonce)) < powDifficulty) {
    throw new Refusal(codes.invalidArgument, 'proof of work is not valid');
  }
}

function trustedKeys({ certifier }: Settings): readonly Buffer[] {
  const own = certifier.pubkey === '' ? [] : [Buffer.from(certifier.pubkey, 'base64')];
  if (certifier.trustedKeys === '') return own;
  const others = readdirSync(certifier.trustedKeys)
    .filter((name) => name.endsWith('.key'))
    .map((name) => Buffer.from(readFileSync(join(certifier.trustedKeys, name), 'utf8').trim(), 'base64'));
  return [...own, ...others];
}

const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');

function isSigned(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiHead, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
}
