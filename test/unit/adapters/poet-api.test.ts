import { describe, expect, it, onTestFinished } from 'vitest';
import { createPoetApi } from '../../../src/adapters/poet-api/index.ts';
import { ProofReader } from '../../../src/domain/poet/proof-reader.ts';
import { type PoetOptions, proofBody, startPoet } from '../../helpers/poet-server.ts';

async function poet(options: PoetOptions = {}) {
  const server = await startPoet(options);
  onTestFinished(() => server.close());
  return server;
}

const api = createPoetApi();

describe('a PoET over HTTP', () => {
  it('says who gives out its certificates', async () => {
    const [plain, certified] = [await poet(), await poet({ certifier: 'https://certifier.example' })];
    const infoOf = async (address: string) => {
      const answer = await api.info(address, 5000);
      return answer.kind === 'answered' ? answer.info : answer;
    };
    expect(await infoOf(plain.address)).toEqual({
      pubkey: plain.pubkey,
      phaseShift: 12 * 3600,
      cycleGap: 2 * 3600,
    });
    expect(await infoOf(certified.address)).toMatchObject({
      certifier: { url: 'https://certifier.example' },
    });
  });

  it("tells a round's work, whether it has few members or 300,000", async () => {
    const { address } = await poet({ proofs: { 7: 9_331_200_000 }, members: 300_000 });
    expect(await api.proof(`${address}/`, 7, 20_000)).toEqual({
      kind: 'proof',
      facts: { leaves: 9_331_200_000 },
    });
    expect(await api.proof(address, 8, 5000)).toEqual({ kind: 'none' });
  });

  it.each([
    ['a web page', '<html>"leaves":"7"</html>'],
    ['a proof without a number', '{"proof":{"proof":{},"members":[]}}'],
    ['a number that is none', '{"proof":{"leaves":"99999999999999999999"}}'],
    ['nothing', ''],
  ])('takes %s for no proof', async (_, body) => {
    const { address } = await poet({ proofs: { 7: body } });
    expect(await api.proof(address, 7, 5000)).toMatchObject({ kind: 'malformed' });
  });

  it('is late or away', async () => {
    const { address } = await poet({ hangs: true });
    expect(await api.proof(address, 7, 100)).toEqual({ kind: 'late', afterMs: 100 });
    expect(await api.proof('http://127.0.0.1:9', 7, 1000)).toMatchObject({ kind: 'unreachable' });
  });
});

describe('ProofReader', () => {
  it('finds the number wherever the pieces are cut', () => {
    const body = proofBody(123_456_789, 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=');
    for (let at = 0; at < body.length; at += 1) {
      const reader = new ProofReader();
      const answers = [reader.take(body.slice(0, at)), reader.take(body.slice(at))];
      expect(
        answers.find((answer) => answer !== undefined),
        `cut at ${at}`,
      ).toEqual({ leaves: 123_456_789 });
    }
  });
});
