/**
 * The name of a device in the text of pci.ids (hwdata, pciutils); `undefined` where it is not listed. Vendors stand at the
 * line's start, their devices behind one tab.
 */
export function findPciName(pciIds: string, vendorId: string, deviceId: string): string | undefined {
  const start = pciIds.search(new RegExp(`^${vendorId}  `, 'm'));
  if (start < 0) return undefined;
  const rest = pciIds.slice(start);
  const end = rest.slice(1).search(/^[0-9a-fA-F]{4} {2}/m);
  const section = end < 0 ? rest : rest.slice(0, end + 1);
  return new RegExp(`^\\t${deviceId}  (.+)$`, 'm').exec(section)?.[1]?.trim();
}
