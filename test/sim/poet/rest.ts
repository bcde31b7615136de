/** The REST API (spacemesh.md §7.3, §14.5): bytes are base64, numbers of 64 bits text, durations `"120s"`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Knobs } from './knobs.ts';
import { log } from './log.ts';
import type { Rounds } from './rounds.ts';
import type { Settings } from './settings.ts';
import type { State } from './state.ts';
import { checkSubmit, codes, Refusal, readSubmit } from './submit.ts';

export interface RestContext {
  readonly settings: Settings;
  readonly state: State;
  readonly rounds: Rounds;
  readonly pubkey: Buffer;
  readonly knobs: () => Knobs;
}

/** Milliseconds as protobuf's JSON has a duration: no more digits than needed, in groups of three. */
export function durationText(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = Math.round(milliseconds - seconds * 1000);
  return rest === 0 ? `${seconds}s` : `${seconds}.${String(rest).padStart(3, '0')}s`;
}

type Route = (body: string, argument: string) => unknown;

function routesOf(context: RestContext): readonly (readonly [string, RegExp, Route])[] {
  const { settings, state, rounds, pubkey, knobs } = context;
  return [
    [
      'GET',
      /^\/v1\/info$/,
      () => ({
        servicePubkey: pubkey.toString('base64'),
        phaseShift: knobs().saysPhaseShift ?? durationText(settings.phaseShift),
        cycleGap: durationText(settings.cycleGap),
        certifier: { url: settings.certifier.url, pubkey: settings.certifier.pubkey },
      }),
    ],
    [
      'GET',
      /^\/v1\/pow_params$/,
      () => ({
        powParams: {
          difficulty: settings.powDifficulty,
          challenge: state.powChallenge().toString('base64'),
        },
      }),
    ],
    ['POST', /^\/v1\/submit$/, (body) => submit(body, context)],
    ['GET', /^\/v1\/proofs\/([^/]+)$/, (_body, round) => proofOf(round, context)],
  ];

  function proofOf(round: string, { state: kept }: RestContext): unknown {
    const proof = knobs().lateRounds.map(String).includes(round) ? undefined : kept.proof(round);
    if (proof === undefined) throw new Refusal(codes.notFound, 'proof not found');
    const { root, provenLeaves, proofNodes, members, leaves } = proof;
    return {
      proof: { proof: { root, provenLeaves, proofNodes }, members, leaves: String(leaves) },
      pubkey: pubkey.toString('base64'),
    };
  }

  function submit(body: string, { settings: own }: RestContext): unknown {
    const asked = readSubmit(body);
    checkSubmit(asked, own, state.powChallenge());
    // Whose proof would be there too late has nothing of it, and is told so.
    if (asked.deadline != null && rounds.open.end > Date.parse(asked.deadline)) {
      throw new Refusal(codes.invalidArgument, 'too late to register for the desired round');
    }
    const joining = rounds.join(asked.pubkey, asked.challenge);
    if (joining.kind === 'full') {
      throw new Refusal(codes.resourceExhausted, 'maximum number of round members reached');
    }
    if (joining.kind === 'conflict') {
      throw new Refusal(
        codes.alreadyExists,
        'already registered with different challenge for the current round',
      );
    }
    return { roundId: String(joining.round), roundEnd: durationText(joining.end - Date.now()) };
  }
}

/** Listens at `host:port`. @throws Error when it cannot */
export async function serveRest(
  address: { readonly host: string; readonly port: number },
  context: RestContext,
): Promise<Server> {
  const routes = routesOf(context);
  const server = createServer((asked, response) => {
    void answer(asked, response, routes, context.knobs);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host === '' ? '0.0.0.0' : address.host, resolve);
  });
  return server;
}

async function answer(
  asked: IncomingMessage,
  response: ServerResponse,
  routes: ReturnType<typeof routesOf>,
  knobs: () => Knobs,
): Promise<void> {
  const { silent, busy } = knobs();
  if (silent) return;
  const path = (asked.url ?? '').replace(/\?.*$/, '');
  const respond = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  try {
    if (busy) throw new Refusal(codes.unavailable, 'unavailable');
    const matching = routes.filter(([, pattern]) => pattern.test(path));
    const route = matching.find(([method]) => method === asked.method);
    if (route === undefined) {
      throw matching.length === 0
        ? new Refusal(codes.notFound, 'Not Found')
        : new Refusal(codes.unimplemented, 'Method Not Allowed');
    }
    const [, pattern, act] = route;
    const body = await readAll(asked);
    respond(200, act(body, decodeURIComponent(pattern.exec(path)?.[1] ?? '')));
  } catch (error) {
    const refused = error instanceof Refusal;
    log(refused ? 'DEBUG' : 'ERROR', 'rest', `FAILURE ${path}`, { error: String(error) });
    if (refused) respond(error.status.http, { code: error.status.code, message: error.message, details: [] });
    else respond(500, { code: 13, message: (error as Error).message, details: [] });
  }
}

async function readAll(asked: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
