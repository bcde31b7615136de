import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClockFacts,
  type ClockSample,
  judgeClock,
  medianOffset,
} from '../../../src/domain/doctor/clock.ts';
import { PACKET_BYTES, readSntp, sntpQuestion } from '../../../src/domain/doctor/sntp.ts';
import { readChronyc, readPeerComplaints, readTimedatectl } from '../../../src/domain/doctor/time-daemon.ts';
import { parseTimeServer } from '../../../src/domain/doctor/time-server.ts';

const NOW = Date.UTC(2026, 10, 21);

function facts(changes: Partial<ClockFacts>): ClockFacts {
  return { now: NOW, samples: [], unknown: [], keepers: [], nodeRuns: true, ...changes };
}

function ntp(...offsets: number[]): ClockSample[] {
  return offsets.map((offsetMs, index) => ({ source: `s${index}`, offsetMs, uncertaintyMs: 20 }));
}

const codes = (changes: Partial<ClockFacts>) =>
  judgeClock(facts(changes)).map(({ code, severity }) => `${severity} ${code}`);

describe('judgeClock', () => {
  it.each([
    [0, 'ok clock-ok'],
    [2000, 'ok clock-ok'],
    [-2001, 'warning clock-drifting'],
    [10_000, 'warning clock-drifting'],
    [10_001, 'error clock-off'],
    [-3_600_000, 'error clock-off'],
  ])('an offset of %d ms: %s', (offset, expected) => {
    expect(codes({ samples: ntp(offset, offset, offset) })).toEqual([expected]);
  });

  it('goes by the middle: one source that lies is named and changes nothing', () => {
    const found = judgeClock(facts({ samples: ntp(10, 90_000, -5) }));
    expect(found.map(({ code, subject }) => [code, subject])).toEqual([
      ['clock-ok', undefined],
      ['clock-sources-disagree', 's1'],
    ]);
  });

  it('takes the date of a PoET only where there is no better clock', () => {
    const date: ClockSample = { source: 'https://poet', offsetMs: 12_000, uncertaintyMs: 600 };
    expect(codes({ samples: [date] })).toEqual(['error clock-off']);
    expect(codes({ samples: [date, ...ntp(3)] })).toEqual(['ok clock-ok', 'info clock-sources-disagree']);
  });

  it('knows nothing without a source, and says so without alarm', () => {
    const unknown = [{ source: 'pool.ntp.org', reason: 'no answer within 5 s' }];
    const [found] = judgeClock(facts({ unknown }));
    expect(found).toMatchObject({ code: 'clock-unknown', severity: 'info' });
    expect(found?.evidence).toBe('pool.ntp.org: no answer within 5 s');
    expect(codes({ keepers: [{ program: 'timedatectl', synchronised: false }] })).toEqual([
      'info clock-unknown',
      'warning clock-not-kept',
    ]);
    expect(
      codes({
        keepers: [
          { program: 'timedatectl', synchronised: false },
          { program: 'chronyc', synchronised: true },
        ],
      }),
    ).toEqual(['info clock-unknown']);
  });

  it("weighs the peers' complaint by its age and by other clocks", () => {
    const complaints = { count: 3, lastAt: NOW - 5 * 60_000, lastOffset: '12.5s', ended: false };
    expect(codes({ complaints })).toContain('error clock-peers-complain');
    expect(codes({ complaints, samples: ntp(5) })).toContain('warning clock-peers-complain');
    const old = { ...complaints, lastAt: NOW - 2 * 3_600_000 };
    expect(codes({ complaints: old })).toContain('info clock-peers-complain');
    expect(codes({ complaints: { ...old, ended: true }, nodeRuns: false })).toContain(
      'error clock-peers-complain',
    );
    expect(codes({ complaints: { ...old, ended: true } })).toContain('info clock-peers-complain');
  });
});

describe("the node's words about clocks", () => {
  const line = (text: string, at = NOW) => ({ at, text });

  it('counts complaints and finds the end', () => {
    const complaint =
      '2026-11-21T03:00:00.000+0000\tWARN\tnode.timesync\tpeers offset is larger than max allowed clock difference\t{"round": 4, "offset": "12.5s", "max_offset": "10s"}';
    expect(readPeerComplaints([line('app started'), line(complaint, NOW - 5), line(complaint)])).toEqual({
      count: 2,
      lastAt: NOW,
      lastOffset: '12.5s',
      ended: false,
    });
    expect(
      readPeerComplaints([
        line(
          'Error: timesync: peers are not time synced, make sure your system clock is accurate: drift = -13s',
        ),
      ]),
    ).toEqual({ count: 0, lastAt: NOW, lastOffset: '-13s', ended: true });
    expect(readPeerComplaints([line('peers offset is within max allowed clock difference')])).toBeUndefined();
  });
});

describe('programs that keep the clock', () => {
  it('are read', () => {
    expect(readTimedatectl('Timezone=UTC\nNTP=yes\nNTPSynchronized=yes\n')?.synchronised).toBe(true);
    expect(readTimedatectl('NTPSynchronized=no\n')?.synchronised).toBe(false);
    expect(readTimedatectl('System has not been booted with systemd')).toBeUndefined();
    expect(
      readChronyc('System time     : 0.250000000 seconds fast of NTP time\nLeap status     : Normal\n'),
    ).toEqual({ program: 'chronyc', synchronised: true, offsetMs: -250 });
    expect(
      readChronyc(
        'System time     : 0.000000000 seconds fast of NTP time\nLeap status     : Not synchronised\n',
      ),
    ).toEqual({ program: 'chronyc', synchronised: false });
    expect(readChronyc('506 Cannot talk to daemon')).toBeUndefined();
  });
});

describe('parseTimeServer', () => {
  it.each([
    ['pool.ntp.org', { host: 'pool.ntp.org', port: 123 }],
    ['10.0.0.1:1123', { host: '10.0.0.1', port: 1123 }],
    ['[2001:db8::1]:1123', { host: '2001:db8::1', port: 1123 }],
    ['2001:db8::1', { host: '2001:db8::1', port: 123 }],
    ['a:0', undefined],
    ['a:70000', undefined],
    ['http://a', undefined],
    ['-x', undefined],
    ['', undefined],
  ])('%s', (text, expected) => {
    expect(parseTimeServer(text)).toEqual(expected);
  });
});

/** A server's answer: `theirs` is its clock, in milliseconds since 1970. */
function answer(
  question: Uint8Array,
  theirs: number,
  change: (packet: Uint8Array) => void = () => {},
): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  packet[0] = 0b00_100_100;
  packet[1] = 2;
  packet.set(question.subarray(40, 48), 24);
  const view = new DataView(packet.buffer);
  for (const at of [32, 40]) {
    const seconds = theirs / 1000 + 2_208_988_800;
    view.setUint32(at, Math.floor(seconds) % 2 ** 32);
    view.setUint32(at + 4, Math.floor((seconds % 1) * 2 ** 32));
  }
  change(packet);
  return packet;
}

describe('SNTP', () => {
  const cookie = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const question = sntpQuestion(cookie);
  const times = { sent: NOW, received: NOW + 100 };

  it('computes the offset from the middle of question and answer, beyond 2036 too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.constantFrom(NOW, Date.UTC(2036, 1, 8), Date.UTC(2050, 0, 1)),
        fc.nat({ max: 2000 }),
        (offset, now, delay) => {
          const reading = readSntp(answer(question, now + delay / 2 + offset), cookie, {
            sent: now,
            received: now + delay,
          });
          expect(reading).toMatchObject({ kind: 'time', stratum: 2 });
          if (reading?.kind === 'time') {
            expect(Math.abs(reading.offsetMs - offset)).toBeLessThan(1);
            expect(Math.abs(reading.delayMs - delay)).toBeLessThan(1);
          }
        },
      ),
    );
  });

  it('waits on for what is no answer to its question', () => {
    expect(readSntp(answer(question, NOW), Uint8Array.from([9, 9, 9, 9, 9, 9, 9, 9]), times)).toBeUndefined();
    expect(readSntp(question, cookie, times)).toBeUndefined();
    expect(readSntp(new Uint8Array(20), cookie, times)).toBeUndefined();
  });

  it('believes no server that refuses or has no time itself', () => {
    const change = (index: number, value: number) => (packet: Uint8Array) => {
      packet[index] = value;
    };
    expect(readSntp(answer(question, NOW, change(1, 0)), cookie, times)?.kind).toBe('refused');
    expect(readSntp(answer(question, NOW, change(1, 16)), cookie, times)?.kind).toBe('refused');
    expect(readSntp(answer(question, NOW, change(0, 0b11_100_100)), cookie, times)?.kind).toBe('refused');
    expect(
      readSntp(
        answer(question, NOW, (packet) => packet.fill(0, 40)),
        cookie,
        times,
      )?.kind,
    ).toBe('refused');
  });
});

it('medianOffset lies between the smallest and the largest', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 9 }), (offsets) => {
      const middle = medianOffset(ntp(...offsets)) ?? Number.NaN;
      expect(middle).toBeGreaterThanOrEqual(Math.min(...offsets));
      expect(middle).toBeLessThanOrEqual(Math.max(...offsets));
    }),
  );
});
