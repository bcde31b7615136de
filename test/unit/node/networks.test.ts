import { describe, expect, it } from 'vitest';
import { checkCoinbase, encodeCoinbase } from '../../../src/domain/node/coinbase.ts';
import { DEFAULT_IMAGES, inspectImage } from '../../../src/domain/node/images.ts';
import {
  defaultPoet,
  genesisId,
  goldenAtx,
  MAINNET,
  poetPublicKey,
  STANDALONE_PRESET,
  standaloneNetwork,
  TESTNET,
  unitBytes,
} from '../../../src/domain/node/networks.ts';

const poetPrivateKey = Buffer.from(Array.from({ length: 64 }, (_, index) => index)).toString('base64');
const standaloneAt = (genesisTime: string) => standaloneNetwork({ genesisTime, poetPrivateKey });

describe('golden ATX and genesis ID (spacemesh.md §12)', () => {
  it('of mainnet', () => {
    expect(goldenAtx(MAINNET)).toBe('9eebff023abb17ccb775c602daade8ed708f0a50d3149a42801184f5b74f2865');
    expect(genesisId(MAINNET)).toBe('9eebff023abb17ccb775c602daade8ed708f0a50');
  });

  it.each([
    ['2024-03-08T14:30:00Z', '3f461c560faa11088b6e5510676d0f654e66eb11d294fe2dbaa5bf020ef64b51'],
    ['2030-01-01T00:00:00Z', 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a'],
  ])('of a private network that begins at %s', (genesis, golden) => {
    expect(goldenAtx(standaloneAt(genesis))).toBe(golden);
  });
});

describe('presets', () => {
  it('mainnet has epochs of two weeks and units of 64 GiB', () => {
    expect(MAINNET.layerSeconds * MAINNET.layersPerEpoch).toBe(14 * 86_400);
    expect(unitBytes(MAINNET.post)).toBe(64 * 1024 ** 3);
  });

  it('every PoET of mainnet has a public key of 32 bytes', () => {
    const { servers } = defaultPoet(MAINNET);
    expect(servers).toHaveLength(5);
    for (const { pubkey } of servers) expect(Buffer.from(pubkey, 'base64')).toHaveLength(32);
  });

  it('testnet names no PoET', () => {
    expect(defaultPoet(TESTNET).servers).toEqual([]);
  });

  it('a private network has its own PoET, with the public half of its key', () => {
    const [server] = defaultPoet(standaloneAt('2030-01-01T00:00:00Z')).servers;
    expect(server?.address).toBe('http://127.0.0.1:10010');
    expect([...Buffer.from(server?.pubkey ?? '', 'base64')]).toEqual(
      Array.from({ length: 32 }, (_, index) => 32 + index),
    );
    expect(poetPublicKey('AAAA')).toBeUndefined();
  });
});

describe('coinbase', () => {
  const own = {
    mainnet: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
    testnet: 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa',
    standalone: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
  };
  const networks = { mainnet: MAINNET, testnet: TESTNET, standalone: STANDALONE_PRESET };

  it.each(Object.entries(own))('the test vector of %s is good there', (network, address) => {
    expect(checkCoinbase(address, networks[network as keyof typeof networks])).toEqual({ ok: true });
    const bytes = new Uint8Array(24);
    bytes[4] = 0x31;
    expect(encodeCoinbase(bytes, networks[network as keyof typeof networks])).toBe(address);
  });

  it.each([
    ['', /empty/],
    [own.testnet, /belongs to testnet, but the network is mainnet/],
    [own.standalone, /belongs to standalone/],
    [own.mainnet.replace('p3q', 'p4q'), /check sum/],
    [own.mainnet.slice(0, -1), /check sum/],
    [own.mainnet.toUpperCase(), /capital letters/],
    ['0x52908400098527886E0F7030069857D2E4169EE7', /Ethereum/],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', /no Spacemesh address/],
    [encodeCoinbase(new Uint8Array(24).fill(1), MAINNET), /first four bytes/],
    [encodeCoinbase(new Uint8Array(20), MAINNET), /20 bytes/],
    ['constructor1qqqq', /no Spacemesh address/],
  ])('%s is refused on mainnet', (address, reason) => {
    const check = checkCoinbase(address, MAINNET);
    expect(check.ok ? 'good' : check.reason).toMatch(reason);
  });
});

describe('images', () => {
  it('has nothing against its own defaults', () => {
    for (const image of Object.values(DEFAULT_IMAGES)) expect(inspectImage(image)).toEqual([]);
  });

  it.each([
    'spacemeshos/post-service:latest',
    'spacemeshos/post-service',
    'localhost:5000/post-service',
    'spacemeshos/post-service:v0.8.0',
    'spacemeshos/post-service:v0.8.1',
    'spacemeshos/post-service:v0.7.9',
    'spacemeshos/post-service:v0.7.10',
    'spacemeshos/go-spacemesh:v1.7.5',
    '',
    'two words',
  ])('refuses %j', (image) => {
    expect(inspectImage(image).map(({ severity }) => severity)).toEqual(['error']);
  });

  it.each([
    ['spacemeshos/post-service:v0.7.13', []],
    ['localhost:5000/post-service:v0.8.2', []],
    ['smesh-sim:1', []],
    [`spacemeshos/post-service@sha256:${'0'.repeat(64)}`, []],
    ['spacemeshos/post-service:v0.7.8', ['warning']],
    ['spacemeshos/go-spacemesh:v1.6.8', ['warning']],
  ])('says of %s: %j', (image, severities) => {
    expect(inspectImage(image).map(({ severity }) => severity)).toEqual(severities);
  });
});
