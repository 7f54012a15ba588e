import { expect, test } from 'vitest'
import {
  baseUrl,
  byteSize,
  codexVersion,
  count,
  credentialUrl,
  duration,
  hostName,
  oneOf,
  origin,
  outboundProxyUrl,
  port,
  positiveCount,
  text,
  toggle,
} from './parsers.ts'
import { UsageError } from './usage-error.ts'

test.each<[string, (given: string) => unknown, Record<string, unknown>]>([
  ['port', port, { '0': 0, '8765': 8765, '65535': 65_535 }],
  ['count', count, { '0': 0, '42': 42 }],
  ['positiveCount', positiveCount, { '1': 1, '42': 42 }],
  ['byteSize', byteSize, { '10': 10, '64k': 65_536, '32MB': 33_554_432, '1GiB': 1_073_741_824, '2 mb': 2_097_152 }],
  [
    'duration',
    duration,
    { '500ms': 500, '30': 30_000, '1.5s': 1500, '10m': 600_000, '2min': 120_000, '1h': 3_600_000 },
  ],
  ['toggle', toggle, { true: true, '1': true, ON: true, false: false, no: false, '': false }],
  ['hostName', hostName, { '127.0.0.1': '127.0.0.1', '[::1]': '::1', '::1': '::1', 'My-Host.local': 'my-host.local' }],
  // Other spellings of an address: what else looks at it knows one.
  [
    'hostName',
    hostName,
    { '0': '0.0.0.0', '127.1': '127.0.0.1', '0:0:0:0:0:0:0:0': '::', '[::0]': '::', 'FE80::1': 'fe80::1' },
  ],
  [
    'origin',
    origin,
    {
      'https://a.test': 'https://a.test',
      'http://a.test:8080/': 'http://a.test:8080',
      'file://': 'file://',
      'FILE:///': 'file://',
      'chrome-extension://abcdefghijklmnop': 'chrome-extension://abcdefghijklmnop',
      'APP://obsidian.md/': 'app://obsidian.md',
    },
  ],
  [
    'outboundProxyUrl',
    outboundProxyUrl,
    {
      none: 'none',
      NONE: 'none',
      '': 'none',
      'host:8118': 'http://host:8118',
      '10.0.0.1:3128': 'http://10.0.0.1:3128',
      'socks5://u:p@h:1': 'socks5://u:p@h:1',
    },
  ],
  ['baseUrl', baseUrl, { 'https://a.test/v1/': 'https://a.test/v1', 'http://127.0.0.1:1': 'http://127.0.0.1:1' }],
  [
    'credentialUrl',
    credentialUrl,
    {
      'https://a.test/token?x=1': 'https://a.test/token?x=1',
      'https://a.test/token/': 'https://a.test/token/',
      'http://127.0.0.1:1/token': 'http://127.0.0.1:1/token',
    },
  ],
  ['codexVersion', codexVersion, { '0.169.0': '0.169.0', '1.2.3-alpha.4': '1.2.3-alpha.4' }],
  ['text', text, { word: 'word', ' padded ': ' padded ' }],
  ['oneOf', oneOf('a', 'b').parse, { a: 'a', b: 'b' }],
])('%s reads what people write', (_name, parse, cases) => {
  for (const [given, value] of Object.entries(cases)) expect(parse(given)).toBe(value)
})

test.each<[string, (given: string) => unknown, string[]]>([
  ['port', port, ['', 'abc', '-1', '65536', '80.5', '1e3', '0x50']],
  ['count', count, ['', '-1', '1.5', '99999999999999999999']],
  ['positiveCount', positiveCount, ['', '0', '00', '-1', '1.5', '99999999999999999999']],
  ['byteSize', byteSize, ['', '0', '-1k', '1.5MB', '10TB', 'many']],
  ['duration', duration, ['', '0', '-5s', '5 weeks', '25000h', 'soon']],
  ['toggle', toggle, ['maybe', '2']],
  [
    'hostName',
    hostName,
    ['', 'http://host', 'host:80', 'host/path', 'a b', '-host', '::1%lo', '[fe80::1%eth0]', '256.1.1.1', '1.2.3.4.5'],
  ],
  [
    'origin',
    origin,
    [
      '',
      'a.test',
      'https://a.test/path',
      'data:x',
      'https://a.test?q',
      'file://a.test',
      'file:///tmp',
      'file:',
      'null',
      'app://a.test/path',
      'app://a b',
      'https://256.1.1.1',
    ],
  ],
  [
    'outboundProxyUrl',
    outboundProxyUrl,
    ['ftp://host', 'http://', 'http://a b', 'socks4://h:1', '8118', '"http://h:1"', 'socks5://h%41:1'],
  ],
  [
    'baseUrl',
    baseUrl,
    [
      '',
      'http://a.test',
      'ftp://127.0.0.1',
      'https://u@a.test',
      'https://:p@a.test',
      'https://a.test?q',
      'https://a.test#f',
      'a.test',
    ],
  ],
  [
    'credentialUrl',
    credentialUrl,
    ['', 'http://a.test/token', 'ftp://127.0.0.1/token', 'https://u@a.test', 'https://a.test/#f', 'a.test/token'],
  ],
  ['codexVersion', codexVersion, ['', '1', '0.169', 'v0.169.0', '0.169.0\n', '0.169.0\r\nx: y', '0.169.0 beta']],
  ['text', text, ['', '  ']],
  ['oneOf', oneOf('a', 'b').parse, ['', 'A', 'c']],
])('%s refuses the rest with what is allowed', (_name, parse, cases) => {
  for (const given of cases) expect(() => parse(given), given).toThrow(UsageError)
})

test.each(['12/34', 'ab/34', '1?w', '1#w', '1\\w'])(
  'a password like %s is no end of the host: it must be encoded',
  (password) => {
    expect(() => outboundProxyUrl(`http://me:${password}@proxy.example:3128`)).toThrow('as %2F %3F %23 and %5C')
    expect(() => outboundProxyUrl(`me:${password}@proxy.example:3128`)).toThrow('as %2F %3F %23 and %5C')
  },
)

test('what a proxy URL may hold is taken as it is', () => {
  const urls = ['http://me:p@ss@h:1', 'http://me:%2F%23@h:1/', 'socks5://dom\\me:pw@h:1', 'http://h:1/path']
  const hosts = ['socks5://[2001:DB8::1.2.3.4]:1', 'socks://h:1/', 'HTTP://My_proxy.b\u00fccher.example']
  for (const given of [...urls, ...hosts]) expect(outboundProxyUrl(given)).toBe(given)
})

test('that a size can not be 0, as for no limit, is said', () => {
  expect(() => byteSize('0')).toThrow('Use a size such as 65536, 64k, 32MB or 1GB (above 0).')
})
