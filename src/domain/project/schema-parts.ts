import * as z from 'zod';
import { parseSmesherId } from '../identity/smesher-id.ts';
import { parseGoDuration } from './duration.ts';
import { SERVICE_NAME } from './name.ts';
import { pathFault } from './paths.ts';

/* Values that several keys of smesh.yaml have. Messages are clauses that follow `identities[3].nonces: `. */

export const quoted = (value: unknown) => JSON.stringify(value);

/** Not `min(1)`: that asks whatever has a `length` for it, also a mapping with such a key, and throws at what it gets. */
export const isNotEmpty = (text: string) => text !== '';

export function integer(min: number, max: number) {
  return z.number().refine((value) => Number.isInteger(value) && value >= min && value <= max, {
    error: (issue) => `${quoted(issue.input)} is not a whole number from ${min} to ${max}`,
  });
}

export const duration = z
  .string()
  .refine((text) => parseGoDuration(text) !== undefined, {
    error: (issue) =>
      `${quoted(issue.input)} is no duration; write hours, minutes and seconds: 240h, 1h30m, 90s`,
  })
  .transform((text) => parseGoDuration(text) ?? 0);

export const path = z.string().superRefine((text, context) => {
  const fault = pathFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `${quoted(text)} ${fault}` });
});

export const smesherId = z.string().transform((text, context) => {
  const id = parseSmesherId(text);
  if (id !== undefined) return id;
  const what =
    text.length === 128
      ? '128 hex digits are a private key: never write one here'
      : `${text.length} characters`;
  context.addIssue({ code: 'custom', message: `a smesher ID is 64 hex digits (${what})` });
  return z.NEVER;
});

export const hex64 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
  .transform((text) => text.toLowerCase());

export const user = z.string().regex(/^\d{1,10}:\d{1,10}$/, {
  error: (issue) => `${quoted(issue.input)} is not of the form uid:gid, such as '1000:1000'`,
});

export const memory = z.string().regex(/^[1-9]\d*(\.\d+)?(b|k|kb|m|mb|g|gb)$/i, {
  error: (issue) => `${quoted(issue.input)} is no amount of memory such as 3g or 768m`,
});

export const httpUrl = z.string().regex(/^https?:\/\/[^\s/?#]+[^\s]*$/, {
  error: (issue) => `${quoted(issue.input)} does not begin with http:// or https:// and a host`,
});

export const serviceName = z.string().regex(SERVICE_NAME, {
  error: (issue) =>
    `${quoted(issue.input)} is no service name: small letters, digits and hyphens, such as post-0001`,
});

export const nonces = z
  .number()
  .refine((value) => Number.isInteger(value) && value >= 16 && value <= 4096 && value % 16 === 0, {
    error: (issue) => {
      const value = Number(issue.input);
      if (value > 4096) return `${value} is more than 4096, the most a post-service takes`;
      return `${value} is not a multiple of 16 (128 and 288 are usual)`;
    },
  });
