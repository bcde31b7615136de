import { MAINNET, type Options } from './options.ts';

/** `-printConfig`: Go spew of configuration and options; pointers show an address, as spew does. */
export function printConfig(options: Options): void {
  const toFile = options.toFile === undefined ? '(*int)(<nil>)' : `(*int)(0xc000012345)(${options.toFile})`;
  const lines = [
    '(config.Config) {',
    ` MinNumUnits: (uint32) ${MAINNET.minNumUnits},`,
    ` MaxNumUnits: (uint32) ${MAINNET.maxNumUnits},`,
    ` LabelsPerUnit: (uint64) ${options.labelsPerUnit},`,
    ' K1: (uint) 26,',
    ' K2: (uint) 37,',
    ' PowDifficulty: ([32]uint8) (len=32 cap=32) {',
    '  00000000  00 0d fb 23 b0 97 9b 4b  00 00 00 00 00 00 00 00  |...#...K........|',
    '  00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|',
    ' }',
    '}',
    '(config.InitOpts) {',
    ` DataDir: (string) (len=${options.datadir.length}) "${options.datadir}",`,
    ` NumUnits: (uint32) ${options.numUnits},`,
    ` MaxFileSize: (uint64) ${options.maxFileSize},`,
    ` ProviderID: (*uint32)(0xc000012340)(${options.provider}),`,
    ' Throttle: (bool) false,',
    ' Scrypt: (config.ScryptParams) {',
    `  N: (uint) ${options.scryptN},`,
    '  R: (uint) 1,',
    '  P: (uint) 1',
    ' },',
    ' ComputeBatchSize: (uint64) 1048576,',
    ` FromFileIdx: (int) ${options.fromFile},`,
    ` ToFileIdx: ${toFile}`,
    '}',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
