import { describe, expect, it } from 'vitest';
import { forecast } from '../../../src/domain/forecast/forecast.ts';
import { renderForecast, renderShortForecast } from '../../../src/ui/forecast.ts';
import { forecastDocument } from '../../../src/ui/forecast-json.ts';
import { textWidth } from '../../../src/ui/text.ts';
import { testFarm } from '../forecast/farm.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const style = { now: NOW, localOffsetMinutes: () => 60 };
const input = testFarm({ identities: 6, disks: 3, units: 12 });
const fits = forecast(input, { runs: 20, check: false });
const crowded = testFarm({ identities: 8, disks: 2, units: 36 });
const late = forecast(crowded, { runs: 20, check: false });

describe('the forecast as text', () => {
  it('begins with the gap, how many prove at a time, and when the last one is done', () => {
    const [gap, course = '', fate] = renderForecast(fits, input, { ...style, columns: 160 });
    expect(gap).toBe('Next cycle gap: Sun 20:00 UTC (21:00 here), 12 h.');
    expect(course).toMatch(
      /^\d proofs at a time at most \([\d.]+ GiB of memory\), one reads per disk: last one done after \d h \d+ m \(p90 \d h( \d+ m)?\)\.$/,
    );
    expect(fate).toBe('Everybody registers by Mon 08:00 UTC (09:00 here).');
  });

  it.each([60, 80, 100])('fits %i columns, with a bar for each disk', (columns) => {
    for (const [found, given] of [
      [fits, input],
      [late, crowded],
    ] as const) {
      const lines = renderForecast(found, given, { ...style, columns });
      expect(lines.filter((line) => textWidth(line) > columns)).toEqual([]);
      const bars = lines.filter((line) => /^sd[a-z] /.test(line));
      expect(bars).toHaveLength(found.disks.length);
      for (const bar of bars) {
        expect(bar).toMatch(/[█▓]/);
        expect(bar).toContain('╎');
      }
      // All marks stand below each other.
      expect(new Set(bars.map((bar) => bar.indexOf('╎'))).size).toBe(1);
    }
  });

  it('tells identities apart without colour: what follows on another one is drawn in another way', () => {
    const [bar = ''] = renderForecast(fits, input, { ...style, columns: 100 }).filter((line) =>
      line.startsWith('sda'),
    );
    expect(bar).toMatch(/█+0001█+.*▓+0004▓+|█+0004█+.*▓+0001▓+/);
  });

  it('names who misses it, what that means, and what would help', () => {
    const text = renderForecast(late, crowded, { ...style, columns: 100 }).join('\n');
    expect(text).toMatch(
      /^! \d of 8 miss the registration at Mon 08:00 UTC \(09:00 here\): most likely post-000\d/m,
    );
    expect(text).toContain('has nothing to prove in the gap after this');
    expect(text).toContain('What would help, each by itself:');
    expect(text).toMatch(
      /4 identities in a second project on a PoET of another phase\n {4}everybody registers/,
    );
    expect(text).toMatch(/at most \d+ of 144 units per disk/);
    expect(text).toContain('180 MB/s assumed (measure: smesh-compose bench disk)');
  });

  it('is short where somebody is asked whether to write', () => {
    expect(renderShortForecast(fits, new Set(), style)).toHaveLength(2);
    const short = renderShortForecast(late, new Set(['post-0008']), style).join('\n');
    expect(short).toMatch(/^Will it fit\? Next cycle gap: Sun 20:00 UTC/);
    expect(short).toMatch(/^! \d of 8 will probably miss the registration, among post-/m);
    expect(short).toMatch(/^ {2}It would help: /m);
  });

  it('has a document that is plain data', () => {
    const document = forecastDocument(late, crowded, { at: NOW, project: 'farm' });
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(document).toMatchObject({
      schemaVersion: 1,
      project: 'farm',
      fits: false,
      gap: { epoch: 87, opens: '2026-11-22T20:00:00.000Z', closes: '2026-11-23T08:00:00.000Z' },
      assumptions: { hashesPerSecondSource: 'default', poetDelaySeconds: 300 },
    });
  });
});
