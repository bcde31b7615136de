import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedText, FrameDecoder, LineSplitter } from '../../../src/adapters/docker/frames.ts';

function frame(stream: 1 | 2, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Cuts a buffer at the given places, wherever they are. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [...at, whole.length].map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
}

describe('frames of container output', () => {
  const output = fc.array(
    fc.record({ stream: fc.constantFrom<1 | 2>(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 8 },
  );

  it('are the same however the transport cuts them', () => {
    fc.assert(
      fc.property(output, fc.array(fc.nat(400)), (messages, places) => {
        const whole = Buffer.concat(messages.map((m) => frame(m.stream, Buffer.from(m.payload))));
        const decoder = new FrameDecoder();
        const frames = cut(whole, places).flatMap((chunk) => decoder.push(chunk));
        expect(frames.map((f) => ({ stream: f.stream, payload: [...f.payload] }))).toEqual(
          messages.map((m) => ({ stream: m.stream === 1 ? 'stdout' : 'stderr', payload: [...m.payload] })),
        );
      }),
    );
  });

  it('are not made up of output without frames', () => {
    expect(() => new FrameDecoder().push(Buffer.from('plain text of a terminal'))).toThrow('not in frames');
  });
});

describe('lines', () => {
  it('are the same however the transport cuts them, between bytes of a character too', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(400)), (texts, places) => {
        const lines = texts.map((text) => text.replace(/[\r\n]/g, ''));
        const splitter = new LineSplitter();
        const whole = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        expect(cut(whole, places).flatMap((chunk) => splitter.push(chunk))).toEqual(lines);
        expect(splitter.end()).toBe('');
      }),
    );
  });

  it('keep what comes after the last newline', () => {
    const splitter = new LineSplitter();
    expect(splitter.push(Buffer.from('a\r\nb'))).toEqual(['a']);
    expect(splitter.end()).toBe('b');
  });
});

it('bounded text says that it was cut', () => {
  const text = new BoundedText(5);
  text.push(Buffer.from('abc'));
  expect([text.text, text.truncated]).toEqual(['abc', false]);
  text.push(Buffer.from('defg'));
  expect([text.text, text.truncated]).toEqual(['abcde', true]);
});
