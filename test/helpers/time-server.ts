import { createSocket } from 'node:dgram';

export interface TimeServer {
  /** `127.0.0.1:PORT`, as `--ntp` wants it. */
  readonly address: string;
  close(): Promise<void>;
}

/** A real SNTP server on UDP whose clock is off by so much; with `silent` it takes questions and never answers. */
export function startTimeServer(options: { skewMs?: number; silent?: boolean } = {}): Promise<TimeServer> {
  const { skewMs = 0, silent = false } = options;
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    if (silent || question.length < 48) return;
    const answer = Buffer.alloc(48);
    answer[0] = 0b00_100_100;
    answer[1] = 1;
    question.copy(answer, 24, 40, 48);
    const seconds = (Date.now() + skewMs) / 1000 + 2_208_988_800;
    for (const at of [32, 40]) {
      answer.writeUInt32BE(Math.floor(seconds) % 2 ** 32, at);
      answer.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), at + 4);
    }
    socket.send(answer, port, address);
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () =>
      resolve({
        address: `127.0.0.1:${socket.address().port}`,
        close: () => new Promise((done) => socket.close(() => done())),
      }),
    );
  });
}
