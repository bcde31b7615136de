import { describe, expect, it } from 'vitest';
import { lastWords } from '../../../../src/domain/node/start-log.ts';
import { isPoetFault, readPoetFatal } from '../../../../src/domain/poet/switch/node-log.ts';

const TIME = '2026-11-20T13:06:19.000Z';
const NONE_LISTED = `${TIME}\tFATAL\tnode.nipostBuilder\tNone of the poets listed in the config matches the existing registrations. Verify your config and local database state.\t{"smesherID": "62834b", "registrations": ["http://127.0.0.1:10010"], "configured_poets": ["http://localhost:10010"]}`;
const OTHER_PHASE = `${TIME}\tFATAL\tnode.poet\tfailed to create poet service\t{"poet": "http://127.0.0.1:10010"}`;
const PANIC = 'panic: runtime error: slice bounds out of range [:5] with capacity 0';
const FOUND = `${TIME}\tWARN\tnode.nipostBuilder\tFound existing registrations for poets not listed in the config. Will not fetch proof from them.\t{"smesherID": "62834b"}`;

describe('what a node says of its PoETs before it ends', () => {
  it.each([
    ['no-listed-registration', NONE_LISTED],
    ['other-phase', OTHER_PHASE],
    ['missing-pubkey', PANIC],
  ])('%s: told from the log, and from the last words that up shows of it', (kind, line) => {
    expect(readPoetFatal([FOUND, line, 'goroutine 1 [running]:'])?.kind).toBe(kind);
    expect(isPoetFault(lastWords([FOUND, line]) ?? '')).toBe(true);
  });

  it('says nothing of its PoETs where it ends for something else, or only warns', () => {
    const other = 'Error: loading identities: duplicate key found';
    expect(readPoetFatal([FOUND, other])).toBeUndefined();
    expect(isPoetFault(lastWords([FOUND, other]) ?? '')).toBe(false);
    expect(readPoetFatal(['panic: runtime error: index out of range [5]'])).toBeUndefined();
  });
});
