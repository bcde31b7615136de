import { errorCode } from './failure.ts';

const OS_FAULTS: Readonly<Record<string, { code: number; kind: string; message: string }>> = {
  ECONNREFUSED: { code: 111, kind: 'ConnectionRefused', message: 'Connection refused' },
  ECONNRESET: { code: 104, kind: 'ConnectionReset', message: 'Connection reset by peer' },
  EHOSTUNREACH: { code: 113, kind: 'HostUnreachable', message: 'No route to host' },
  ENETUNREACH: { code: 101, kind: 'NetworkUnreachable', message: 'Network is unreachable' },
  ETIMEDOUT: { code: 110, kind: 'TimedOut', message: 'Connection timed out' },
};

const TLS_FAULTS: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'NotValidForName',
  CERT_HAS_EXPIRED: 'Expired',
  CERT_NOT_YET_VALID: 'NotValidYet',
};

/** The URL has no scheme: the real program finds out at every attempt, not at start. */
export const SCHEME_MISSING = transportError('ConnectError("invalid URL, scheme is missing")');

/** Why a connection failed, as tonic's debug output says it. */
export function connectFaultText(error: unknown): string {
  const code = errorCode(error) ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NONAME') {
    // The resolver's answer depends on whether it could be asked at all.
    const why = code === 'EAI_AGAIN' ? 'Temporary failure in name resolution' : 'Name or service not known';
    const custom = `Custom { kind: Uncategorized, error: "failed to lookup address information: ${why}" }`;
    return transportError(`ConnectError(ConnectError("dns error", ${custom}))`);
  }
  const os = OS_FAULTS[code];
  if (os !== undefined) {
    const text = `Os { code: ${os.code}, kind: ${os.kind}, message: "${os.message}" }`;
    return transportError(`ConnectError(ConnectError("tcp connect error", ${text}))`);
  }
  const certificate = TLS_FAULTS[code] ?? (/CERT|SIGNATURE|ISSUER/.test(code) ? 'UnknownIssuer' : undefined);
  if (certificate !== undefined) {
    const text = `Custom { kind: InvalidData, error: InvalidCertificate(${certificate}) }`;
    return transportError(`ConnectError(${text})`);
  }
  const message = error instanceof Error ? error.message : String(error);
  return transportError(`ConnectError("${message}")`);
}

function transportError(inner: string): string {
  return `tonic::transport::Error(Transport, ${inner})`;
}
