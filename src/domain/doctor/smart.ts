import * as z from 'zod';

export type SmartReading =
  | { readonly kind: 'sound' }
  | { readonly kind: 'asleep' }
  | { readonly kind: 'failing'; readonly what: string }
  /** Counters that should be zero and are not. */
  | { readonly kind: 'worn'; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: 'unknown'; readonly reason: string };

const schema = z.object({
  smartctl: z
    .object({
      messages: z.array(z.object({ string: z.string() })).optional(),
      exit_status: z.number().optional(),
    })
    .optional(),
  smart_status: z.object({ passed: z.boolean().optional() }).optional(),
  ata_smart_attributes: z
    .object({ table: z.array(z.object({ id: z.number(), raw: z.object({ value: z.number() }) })) })
    .optional(),
  nvme_smart_health_information_log: z
    .object({ critical_warning: z.number().optional(), media_errors: z.number().optional() })
    .optional(),
});

/** Attributes whose raw value counts sectors that were lost or cannot be read. */
const SECTORS: Readonly<Record<number, string>> = {
  5: 'reallocated sectors',
  197: 'pending sectors',
  198: 'uncorrectable sectors',
};

/**
 * Reads `smartctl --json` for one disk. Its exit status is a set of bits: the first two say that the disk could not be
 * asked; a sleeping disk, which `-n standby` leaves alone, sets the second.
 */
export function readSmart(text: string): SmartReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: 'unknown', reason: 'smartctl said nothing that can be read' };
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) return { kind: 'unknown', reason: 'smartctl speaks another way than is known' };
  const {
    smartctl,
    smart_status: status,
    ata_smart_attributes: ata,
    nvme_smart_health_information_log: nvme,
  } = parsed.data;
  const messages = (smartctl?.messages ?? []).map(({ string }) => string).join('; ');
  if (/standby|sleep/i.test(messages)) return { kind: 'asleep' };
  if (status?.passed === false) return { kind: 'failing', what: 'its own self-assessment: failed' };
  if ((nvme?.critical_warning ?? 0) !== 0)
    return { kind: 'failing', what: `critical warning ${nvme?.critical_warning}` };
  const counts: Record<string, number> = {};
  for (const { id, raw } of ata?.table ?? []) {
    const name = SECTORS[id];
    // Some makers pack other things into the upper bytes.
    const count = raw.value % 2 ** 32;
    if (name !== undefined && count > 0) counts[name] = count;
  }
  if ((nvme?.media_errors ?? 0) > 0) counts['media errors'] = nvme?.media_errors ?? 0;
  if (Object.keys(counts).length > 0) return { kind: 'worn', counts };
  if (status?.passed === true) return { kind: 'sound' };
  return { kind: 'unknown', reason: messages || 'the disk does not say how it is' };
}
