import { isIP } from "node:net";

/** The trusted certificates of Debian and of Envoy's image. */
const trustedCertificates = "/etc/ssl/certs/ca-certificates.crt";

/** The rates of edge/envoy.yaml from which what may come at once is derived. */
type EdgeRates = {
  readonly requestsPerSecondPerAddress?: number;
  readonly requestsPerSecondPerUser?: number;
};

/** The part of a second's requests of an address or a user that may come at once. */
const atOnce = 1 / 2;

/** Returns how many requests of an address and of a user may come at once. */
export function deriveBursts(rates: EdgeRates) {
  const { requestsPerSecondPerAddress: ofAddress, requestsPerSecondPerUser: ofUser } = rates;
  return {
    ...(ofAddress && { requestsAtOncePerAddress: Math.ceil(ofAddress * atOnce) }),
    ...(ofUser && { requestsAtOncePerUser: Math.ceil(ofUser * atOnce) }),
  };
}

/** Parses the URL of an issuer's keys; throws if it is not an http or https URL without credentials. */
export function readKeysUrl(text: string): URL {
  const url = URL.parse(text);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url && isWeb && !url.username && !url.password && !url.hash) return url;
  throw new Error(`not an http or https URL for the issuer's keys: ${text}`);
}

/** Returns the address and transport of the issuer; with https, verifies the name in the URL. */
export function deriveIssuer(url: URL) {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const secure = url.protocol === "https:";
  const isAddress = isIP(host) !== 0;
  const sockets = "type.googleapis.com/envoy.extensions.transport_sockets";
  const overTls = {
    "@type": `${sockets}.tls.v3.UpstreamTlsContext`,
    ...(isAddress ? {} : { sni: host }),
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: trustedCertificates },
        match_typed_subject_alt_names: [
          { san_type: isAddress ? "IP_ADDRESS" : "DNS", matcher: { exact: host } },
        ],
      },
    },
  };
  return {
    issuerHost: host,
    issuerPort: Number(url.port || (secure ? 443 : 80)),
    issuerTransport: secure ? overTls : { "@type": `${sockets}.raw_buffer.v3.RawBuffer` },
  };
}
