/** Failures to trust a server's certificate. They last until somebody does something, so they are not tried again. */

/**
 * The codes Node passes on from OpenSSL and its own for names (nodejs.org/api/tls.html, "X509 certificate error codes"; all of
 * one kind begin alike).
 */
const certificateCode =
  /^(?:UNABLE_TO_|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$|ERR_TLS_CERT_)/;

export function isCertificateError(code: string): boolean {
  return certificateCode.test(code);
}

/** What is wrong with the certificate, to follow "because", and what to do. */
export function certificateWords(code: string): { why: string; hint: string } {
  if (/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/.test(code)) {
    return {
      why: `the certificate of the server is ${code === 'CERT_HAS_EXPIRED' ? 'no longer' : 'not yet'} valid`,
      hint: 'Check the clock of this machine first; if it is right, whoever runs the server or the proxy must renew the certificate.',
    };
  }
  if (/ALTNAME|HOSTNAME/.test(code)) {
    return {
      why: 'the certificate of the server is made out for another name',
      hint: 'Check SLACK_API_URL, and whether a login page or a proxy of the network answers in place of Slack.',
    };
  }
  return {
    why: 'nothing this machine trusts has signed the certificate of the server',
    hint:
      'If a proxy of your network opens TLS, get its certificate authority as a PEM file and set NODE_EXTRA_CA_CERTS to its ' +
      'path, in the environment of the process (Node.js reads it before .env).',
  };
}
