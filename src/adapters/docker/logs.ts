import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type Docker from 'dockerode';
import type { LogLine, LogOptions } from '../../ports/docker.ts';
import { get } from './client.ts';
import { containerGone, engineError, statusOf } from './engine-errors.ts';
import { FrameDecoder, LineSplitter, type OutputFrame } from './frames.ts';

/** A program that prints no newline must not fill our memory. */
const LONGEST_LINE = 1024 * 1024;

/** dockerode's `logs` gives a parsed object when a log happens to be JSON (engineering.md §3.4), so ask by hand. */
async function openLog(
  docker: Docker,
  container: string,
  options: LogOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    follow: options.follow ?? false,
    tail: options.tail === undefined ? 'all' : String(options.tail),
    ...(options.since === undefined ? {} : { since: (options.since / 1000).toFixed(3) }),
  };
  const path = `/containers/${encodeURIComponent(container)}/logs`;
  return (await get(docker, path, { query, stream: true, signal })) as IncomingMessage;
}

/** See DockerPort.logs. */
export async function* readLog(
  endpoint: string,
  docker: Docker,
  container: string,
  options: LogOptions,
): AsyncGenerator<LogLine> {
  const ours = new AbortController();
  const signal = options.signal === undefined ? ours.signal : AbortSignal.any([ours.signal, options.signal]);
  try {
    const stream = await openLog(docker, container, options, signal);
    const framed = String(stream.headers['content-type'] ?? '').includes('multiplexed');
    yield* framed ? framedLines(stream) : terminalLines(stream);
  } catch (error) {
    if (options.signal?.aborted) return;
    if (statusOf(error) === 404) throw containerGone(container);
    throw engineError(endpoint, `read the log of ${container}`, error);
  } finally {
    // Also when the reader stops early: else the engine goes on sending.
    ours.abort();
  }
}

interface PartialLine {
  readonly at: number;
  readonly decoder: StringDecoder;
  text: string;
}

/** One frame is one message of the log driver, with its own time; a long line comes as several without newline. */
async function* framedLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  const frames = new FrameDecoder();
  const partial = new Map<OutputFrame['stream'], PartialLine>();
  for await (const chunk of stream) {
    for (const frame of frames.push(chunk)) {
      const message = splitTime(frame.payload);
      const line = partial.get(frame.stream) ?? {
        at: message.at,
        decoder: new StringDecoder('utf8'),
        text: '',
      };
      line.text += line.decoder.write(message.rest);
      if (!line.text.endsWith('\n') && line.text.length < LONGEST_LINE) {
        partial.set(frame.stream, line);
        continue;
      }
      partial.delete(frame.stream);
      yield { stream: frame.stream, at: line.at, text: line.text.replace(/\r?\n$/, '') };
    }
  }
  for (const [name, line] of partial)
    yield { stream: name, at: line.at, text: line.text + line.decoder.end() };
}

/** Containers with a terminal have one unframed stream. */
async function* terminalLines(stream: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  const lines = new LineSplitter();
  const read = (text: string): LogLine => {
    const message = splitTime(Buffer.from(text));
    return { stream: 'stdout', at: message.at, text: message.rest.toString('utf8') };
  };
  for await (const chunk of stream) {
    for (const line of lines.push(chunk)) yield read(line);
  }
  const rest = lines.end();
  if (rest !== '') yield read(rest);
}

/** The engine puts RFC 3339 with nanoseconds and a blank before each message. */
function splitTime(payload: Buffer): { readonly at: number; readonly rest: Buffer } {
  const blank = payload.indexOf(0x20);
  const at = blank > 0 && blank <= 40 ? Date.parse(payload.toString('latin1', 0, blank)) : Number.NaN;
  return Number.isNaN(at) ? { at: 0, rest: payload } : { at, rest: payload.subarray(blank + 1) };
}
