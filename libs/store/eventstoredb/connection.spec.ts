import { expect, test } from '@jest/globals';
import { nameOf, parseConnection } from './connection.js';

test('one server, a cluster by name, and one by its members', () => {
  expect(parseConnection('esdb://db.example.com')).toEqual({
    hosts: [{ address: 'db.example.com', port: 2113 }],
    discover: false,
    tls: true,
  });
  expect(parseConnection('esdb+discover://ada:p%40ss@cluster.example.com:1234/?tlsCAFile=./ca.pem')).toEqual({
    hosts: [{ address: 'cluster.example.com', port: 1234 }],
    discover: true,
    tls: true,
    credentials: { username: 'ada', password: 'p@ss' },
    tlsCaFile: './ca.pem',
  });
  const several = parseConnection('esdb://10.0.0.1:2113,10.0.0.2?TLS=false');
  expect(several).toMatchObject({ discover: true, tls: false });
  expect(nameOf(several)).toBe('10.0.0.1:2113,10.0.0.2:2113');
});

test.each([
  ['http://db.example.com:2113', /must be like esdb:/],
  ['esdb://', /must be like esdb:/],
  ['esdb://db example', /must be like esdb:/],
  ['esdb://db:0', /must be like esdb:/],
  ['esdb://db:2113,', /must be like esdb:/],
  ['esdb://hidden@db', /both a user and a password/],
  ['esdb://ada:%zz-hidden@db', /percent-encoded/],
  ['esdb://ada:hidden@db?tls=false', /no password without TLS/],
  ['esdb://db?tls=false&tlsCAFile=hidden.pem', /tlsCAFile and tls=false/],
  ['esdb://db?tls=hidden', /true or false/],
  ['esdb://db?tls=true&tls=false', /each of its options once/],
  ['esdb://db?tlsCAFile=hidden.pem&TLSCAFILE=other.pem', /each of its options once/],
  ['esdb://db?tlsVerifyCert=false', /no options but/],
  ['esdb://db?throwOnAppendFailure=false', /no options but/],
])('%s is refused, without showing any of it', (text, message) => {
  expect(() => parseConnection(text)).toThrow(message);
  expect(() => parseConnection(text)).not.toThrow(/hidden/);
});
