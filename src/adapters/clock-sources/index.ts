import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { readSntp, sntpQuestion } from '../../domain/doctor/sntp.ts';
import type { ClockSourcesPort, TimeAnswer, TimeServer } from '../../ports/clock-sources.ts';

/** ClockSourcesPort over UDP. */
export function createClockSources(): ClockSourcesPort {
  return {
    async ask(server, timeoutMs): Promise<TimeAnswer> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<TimeAnswer>((resolve) => {
        timer = setTimeout(resolve, timeoutMs, {
          kind: 'unknown',
          reason: `no answer within ${timeoutMs / 1000} s`,
        });
      });
      try {
        // The name server may be slower than the time server: both have to be in time.
        return await Promise.race([askServer(server, timeoutMs), late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

async function askServer({ host, port }: TimeServer, timeoutMs: number): Promise<TimeAnswer> {
  const found = await lookup(host).catch(() => undefined);
  if (found === undefined) return { kind: 'unknown', reason: 'the name cannot be looked up' };
  return new Promise((resolve) => {
    const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
    const cookie = randomBytes(8);
    let sent = 0;
    // Wall clock of the question, and the time since then by a clock that nobody sets.
    let ticks = 0;
    const timer = setTimeout(
      () => end({ kind: 'unknown', reason: `no answer within ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
    const end = (answer: TimeAnswer): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => undefined);
      socket.close();
      resolve(answer);
    };
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({
        kind: 'unknown',
        reason: error.code === 'ECONNREFUSED' ? 'nobody listens there' : (error.code ?? error.message),
      }),
    );
    socket.on('message', (packet) => {
      const received = sent + (performance.now() - ticks);
      const reading = readSntp(packet, cookie, { sent, received });
      if (reading === undefined) return;
      end(
        reading.kind === 'refused'
          ? { kind: 'unknown', reason: reading.reason }
          : {
              kind: 'answered',
              offsetMs: reading.offsetMs,
              delayMs: reading.delayMs,
              stratum: reading.stratum,
            },
      );
    });
    // Connected: packets of strangers never arrive, and a closed port is an error at once.
    socket.connect(port, found.address, () => {
      sent = Date.now();
      ticks = performance.now();
      socket.send(sntpQuestion(cookie));
    });
  });
}
