/** Packing of what is in memory already. */
export interface ArchivePort {
  gzip(bytes: Uint8Array): Promise<Uint8Array>;
}
