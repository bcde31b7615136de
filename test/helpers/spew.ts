/** What `postcli -printProviders` prints for these models: Go's spew (spacemesh.md §8.2). The CPU has its own number. */
export function spewProviders(models: readonly string[]): string {
  let next = 0;
  const blocks = models.map((model) => {
    const isCpu = model.startsWith('[CPU]');
    const id = isCpu ? 4_294_967_295 : next++;
    return ` (postrs.Provider) {\n  ID: (uint32) ${id},\n  Model: (string) (len=${model.length}) ${JSON.stringify(model)},\n  DeviceType: (postrs.DeviceClass) ${isCpu ? 'CPU' : 'GPU'}\n }`;
  });
  return `([]postrs.Provider) (len=${models.length} cap=${models.length}) {\n${blocks.join(',\n')}\n}\n`;
}
