import * as z from 'zod';
import { parseByteRate } from './byte-rate.ts';
import { duration, integer, isNotEmpty, memory, quoted } from './schema-parts.ts';

const byteRate = z
  .string()
  .refine((text) => parseByteRate(text) !== undefined, {
    error: (issue) => `${quoted(issue.input)} is no speed of reading such as 180MB/s`,
  })
  .transform((text) => parseByteRate(text) ?? 0);

/** `schedule` of smesh.yaml: what `smesh-compose run` keeps to. */
export const scheduleSchema = z.strictObject({
  k2pow: integer(1, 1024)
    .optional()
    .describe(
      'Post-services that do k2pow here at the same time. Default: one, or as many as fit the cores with their threads.',
    ),
  remoteK2pow: integer(1, 1024)
    .optional()
    .describe('Post-services that use the same k2pow-service at the same time. Default: 1.'),
  memory: memory
    .optional()
    .describe('Memory for all proofs together. Default: what the host has, less 4 GiB for node and system.'),
  threads: integer(1, 65_536)
    .optional()
    .describe(
      'Threads of all post-services that work at the same time. Default: no limit but the k2pow slots.',
    ),
  ahead: z
    .boolean()
    .optional()
    .describe('k2pow of the next identity while its disk is read by another one. Default: true.'),
  every: duration
    .refine((seconds) => seconds >= 1 && seconds <= 3600, 'is not between 1s and 1h')
    .optional()
    .describe('Longest time between two looks. Default: 15s.'),
  rates: z
    .strictObject({
      k2pow: z
        .number()
        .refine((rate) => Number.isFinite(rate) && rate > 0, {
          error: (issue) => `${quoted(issue.input)} is no number of hashes per second`,
        })
        .optional()
        .describe('RandomX hashes per second of the whole host. Default: as measured.'),
      disks: z
        .record(z.string(), byteRate)
        .optional()
        .describe('How fast one reader reads each disk: `{sda: 180MB/s}`. Default: as measured.'),
    })
    .optional()
    .describe('How fast this host is, where it is known better than measured.'),
  orchestrator: z
    .boolean()
    .optional()
    .describe(
      'Adds a service to compose.yaml that runs the schedule, instead of a systemd unit. Default: false.',
    ),
  image: z
    .string()
    .refine(isNotEmpty, 'is empty')
    .optional()
    .describe("What the orchestrator's image is built from: Node.js 20 or newer. Default: `node:20-slim`."),
});
