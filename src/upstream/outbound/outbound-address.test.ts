import { describe, expect, test } from 'vitest'
import { authorityOf } from '../../config/endpoint.ts'
import { parseOutboundAddress } from './outbound-address.ts'

describe('the address of an outbound proxy', () => {
  test('has the port of its scheme when it names none', () => {
    expect(parseOutboundAddress('http://proxy.example').port).toBe(80)
    expect(parseOutboundAddress('https://proxy.example').port).toBe(443)
    expect(parseOutboundAddress('socks5://proxy.example').port).toBe(1080)
    for (const scheme of ['socks5h', 'socks']) {
      const address = { protocol: 'socks5', port: 9050, shown: 'socks5://proxy.example:9050' }
      expect(parseOutboundAddress(`${scheme}://proxy.example:9050/`)).toMatchObject(address)
    }
  })

  test('carries the login decoded, a bare percent sign as it stands', () => {
    expect(parseOutboundAddress('http://me%40home:a%3Ab@proxy.example').login).toEqual({
      user: 'me@home',
      password: 'a:b',
    })
    expect(parseOutboundAddress('socks5://me:50%@proxy.example').login).toEqual({ user: 'me', password: '50%' })
    expect(parseOutboundAddress('http://me:50%;ü@proxy.example').login).toEqual({ user: 'me', password: '50%;ü' })
    expect(parseOutboundAddress('http://me:a%FFb%20c@proxy.example').login?.password).toBe('a%FFb c')
    expect(parseOutboundAddress('http://me@proxy.example').login).toEqual({ user: 'me', password: '' })
    expect(parseOutboundAddress('http://:secret@proxy.example').login).toEqual({ user: '', password: 'secret' })
    expect(parseOutboundAddress('http://proxy.example').login).toBeUndefined()
  })

  test('is none with a scheme that no proxy has', () => {
    expect(() => parseOutboundAddress('ftp://proxy.example')).toThrow("can't be reached by ftp://")
  })

  test('is shown without the login', () => {
    expect(parseOutboundAddress('http://me:secret@proxy.example:3128').shown).toBe('http://proxy.example:3128')
    expect(parseOutboundAddress('socks5://me:secret@[::1]').shown).toBe('socks5://[::1]:1080')
  })

  test('has its IPv6 host without brackets; an authority has them again', () => {
    const address = parseOutboundAddress('http://[2001:db8::1]:3128')
    expect(address.host).toBe('2001:db8::1')
    expect(authorityOf(address)).toBe('[2001:db8::1]:3128')
    expect(authorityOf({ host: 'example.com', port: 443 })).toBe('example.com:443')
  })
})
