import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET, TESTNET } from '../../../src/domain/node/networks.ts';
import {
  type EpochClock,
  epochClock,
  epochTimeline,
  openRoundAt,
  roundEnd,
} from '../../../src/domain/poet/epochs.ts';

const HOUR = 3600;

const clocks: Readonly<Record<string, EpochClock>> = {
  /** Sunday 20:00 to Monday 08:00 UTC, every other week. */
  mainnet: epochClock(MAINNET, defaultPoet(MAINNET)),
  /** PoETs of a community on mainnet: a day from Tuesday 08:00 on, registration in its last two hours (spacemesh.md §7.1). */
  community: epochClock(MAINNET, { phaseShift: 288 * HOUR, cycleGap: 24 * HOUR, gracePeriod: 2 * HOUR }),
  /** Every day from 04:00 to 06:00 UTC. */
  testnet: epochClock(TESTNET, defaultPoet(TESTNET)),
};

const at = (text: string) => Date.parse(text);

/**
 * Written down, not computed by what is tested: another program walked through the calendar from the published start of
 * epoch 13 (spacemesh.md §12), and of testnet's genesis, in steps of whole epochs. A millisecond before a boundary
 * belongs to what was, the boundary itself to what comes. Columns: clock, moment, epoch, open round, phase, the gap that
 * is open or next opens and closes, publish epoch that is worked on, its registration window opens, its PoET proof is
 * asked for until, its ATX is of use until.
 */
const TABLE = `
  mainnet   2023-07-14T07:59:59.999Z -1  0   before-genesis 2023-07-23T20:00Z 2023-07-24T08:00Z 0   2023-07-24T07:00Z 2023-07-27T20:00Z 2023-07-28T08:00Z
  mainnet   2023-07-14T08:00Z        0   0   waiting        2023-07-23T20:00Z 2023-07-24T08:00Z 0   2023-07-24T07:00Z 2023-07-27T20:00Z 2023-07-28T08:00Z
  mainnet   2023-07-24T07:59:59.999Z 0   0   cycle-gap      2023-07-23T20:00Z 2023-07-24T08:00Z 0   2023-07-24T07:00Z 2023-07-27T20:00Z 2023-07-28T08:00Z
  mainnet   2023-07-24T08:00Z        0   1   waiting        2023-08-06T20:00Z 2023-08-07T08:00Z 1   2023-08-07T07:00Z 2023-08-10T20:00Z 2023-08-11T08:00Z
  mainnet   2023-07-28T08:00Z        1   1   waiting        2023-08-06T20:00Z 2023-08-07T08:00Z 1   2023-08-07T07:00Z 2023-08-10T20:00Z 2023-08-11T08:00Z
  mainnet   2024-02-04T19:59:59.999Z 14  14  waiting        2024-02-04T20:00Z 2024-02-05T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-04T20:00Z        14  14  cycle-gap      2024-02-04T20:00Z 2024-02-05T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-05T07:00Z        14  14  cycle-gap      2024-02-04T20:00Z 2024-02-05T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-05T07:59:59.999Z 14  14  cycle-gap      2024-02-04T20:00Z 2024-02-05T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-05T08:00Z        14  15  late           2024-02-18T20:00Z 2024-02-19T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-08T20:00Z        14  15  late           2024-02-18T20:00Z 2024-02-19T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-09T07:59:59.999Z 14  15  late           2024-02-18T20:00Z 2024-02-19T08:00Z 14  2024-02-05T07:00Z 2024-02-08T20:00Z 2024-02-09T08:00Z
  mainnet   2024-02-09T08:00Z        15  15  waiting        2024-02-18T20:00Z 2024-02-19T08:00Z 15  2024-02-19T07:00Z 2024-02-22T20:00Z 2024-02-23T08:00Z
  mainnet   2024-02-29T12:00Z        16  16  waiting        2024-03-03T20:00Z 2024-03-04T08:00Z 16  2024-03-04T07:00Z 2024-03-07T20:00Z 2024-03-08T08:00Z
  mainnet   2024-09-29T20:00Z        31  31  cycle-gap      2024-09-29T20:00Z 2024-09-30T08:00Z 31  2024-09-30T07:00Z 2024-10-03T20:00Z 2024-10-04T08:00Z
  mainnet   2025-11-23T19:59:59.999Z 61  61  waiting        2025-11-23T20:00Z 2025-11-24T08:00Z 61  2025-11-24T07:00Z 2025-11-27T20:00Z 2025-11-28T08:00Z
  mainnet   2025-11-24T08:00Z        61  62  late           2025-12-07T20:00Z 2025-12-08T08:00Z 61  2025-11-24T07:00Z 2025-11-27T20:00Z 2025-11-28T08:00Z
  mainnet   2028-02-29T00:00Z        120 121 late           2028-03-12T20:00Z 2028-03-13T08:00Z 120 2028-02-28T07:00Z 2028-03-02T20:00Z 2028-03-03T08:00Z
  community 2024-02-06T07:59:59.999Z 14  14  waiting        2024-02-06T08:00Z 2024-02-07T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-06T08:00Z        14  14  cycle-gap      2024-02-06T08:00Z 2024-02-07T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-07T06:00Z        14  14  cycle-gap      2024-02-06T08:00Z 2024-02-07T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-07T07:59:59.999Z 14  14  cycle-gap      2024-02-06T08:00Z 2024-02-07T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-07T08:00Z        14  15  late           2024-02-20T08:00Z 2024-02-21T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-09T07:59:59.999Z 14  15  late           2024-02-20T08:00Z 2024-02-21T08:00Z 14  2024-02-07T06:00Z 2024-02-08T08:00Z 2024-02-09T08:00Z
  community 2024-02-09T08:00Z        15  15  waiting        2024-02-20T08:00Z 2024-02-21T08:00Z 15  2024-02-21T06:00Z 2024-02-22T08:00Z 2024-02-23T08:00Z
  community 2023-07-26T08:00Z        0   1   waiting        2023-08-08T08:00Z 2023-08-09T08:00Z 1   2023-08-09T06:00Z 2023-08-10T08:00Z 2023-08-11T08:00Z
  community 2025-11-25T12:00Z        61  61  cycle-gap      2025-11-25T08:00Z 2025-11-26T08:00Z 61  2025-11-26T06:00Z 2025-11-27T08:00Z 2025-11-28T08:00Z
  testnet   2023-09-14T05:59:59.999Z 0   0   cycle-gap      2023-09-14T04:00Z 2023-09-14T06:00Z 0   2023-09-14T05:50Z 2023-09-14T16:00Z 2023-09-14T18:00Z
  testnet   2023-09-15T04:00Z        1   1   cycle-gap      2023-09-15T04:00Z 2023-09-15T06:00Z 1   2023-09-15T05:50Z 2023-09-15T16:00Z 2023-09-15T18:00Z
  testnet   2023-09-15T05:59:59.999Z 1   1   cycle-gap      2023-09-15T04:00Z 2023-09-15T06:00Z 1   2023-09-15T05:50Z 2023-09-15T16:00Z 2023-09-15T18:00Z
  testnet   2023-09-15T06:00Z        1   2   late           2023-09-16T04:00Z 2023-09-16T06:00Z 1   2023-09-15T05:50Z 2023-09-15T16:00Z 2023-09-15T18:00Z
  testnet   2024-02-29T17:00Z        168 169 late           2024-03-01T04:00Z 2024-03-01T06:00Z 168 2024-02-29T05:50Z 2024-02-29T16:00Z 2024-02-29T18:00Z
  testnet   2024-02-29T18:00Z        169 169 waiting        2024-03-01T04:00Z 2024-03-01T06:00Z 169 2024-03-01T05:50Z 2024-03-01T16:00Z 2024-03-01T18:00Z
  testnet   2024-12-31T04:30Z        474 474 cycle-gap      2024-12-31T04:00Z 2024-12-31T06:00Z 474 2024-12-31T05:50Z 2024-12-31T16:00Z 2024-12-31T18:00Z
`;

interface Row {
  readonly clock: string;
  readonly moment: string;
  readonly expected: Readonly<Record<string, number | string | boolean>>;
}

const rows: readonly Row[] = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [clock = '', moment = '', epoch, openRound, phase = '', ...rest] = line.trim().split(/\s+/);
    const [opens = '', closes = '', worksOn, registrationOpens = '', poetProofBy = '', publishBy = ''] = rest;
    const expected = {
      ...{ epoch: Number(epoch), openRound: Number(openRound), phase, open: phase === 'cycle-gap' },
      ...{ opens: at(opens), closes: at(closes), worksOn: Number(worksOn) },
      registrationOpens: at(registrationOpens),
      ...{ poetProofBy: at(poetProofBy), publishBy: at(publishBy) },
      // The round whose proof is fetched in the gap ends where it opens.
      previousRoundEnds: at(opens),
    };
    return { clock, moment, expected };
  });

describe('the arithmetic of epochs, moment by moment', () => {
  it.each(rows)('$clock at $moment', ({ clock: name, moment, expected }) => {
    const clock = clocks[name];
    if (clock === undefined) throw new Error(`no clock ${name}`);
    const { epoch, phase, gap, deadlines } = epochTimeline(clock, at(moment));
    const openRound = openRoundAt(clock, at(moment));
    const { registrationOpens, poetProofBy, publishBy } = deadlines;
    expect({
      ...{ epoch, openRound, phase: phase.kind, open: gap.open, opens: gap.opens, closes: gap.closes },
      ...{ worksOn: deadlines.epoch, registrationOpens, poetProofBy, publishBy },
      previousRoundEnds: roundEnd(clock, openRound - 1),
    }).toEqual(expected);
  });

  it('covers more than thirty moments, and every phase of each clock', () => {
    expect(rows.length).toBeGreaterThan(30);
    for (const name of Object.keys(clocks)) {
      const phases = rows.filter(({ clock }) => clock === name).map(({ expected }) => expected['phase']);
      expect(phases, name).toEqual(expect.arrayContaining(['cycle-gap', 'late', 'waiting']));
    }
  });
});
