import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export type Certificate = { readonly cert: string; readonly key: string }

/**
 * A self-signed certificate for localhost and these IPv4 addresses, made anew for each test run: nothing that looks like a
 * secret is stored. Of several that one client trusts each needs a name of its own, by which OpenSSL looks for it. `end`
 * is when it expires, as GeneralizedTime.
 */
export function selfSignedCertificate(
  addresses: readonly string[] = ['127.0.0.1'],
  name: string = 'localhost',
  end: string = '20991231235959Z',
): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const der = certificate(privateKey, publicKey, addresses, name, end)
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** RFC 5280 §4.1, with as little in it as TLS needs. */
function certificate(
  privateKey: KeyObject,
  publicKey: KeyObject,
  addresses: readonly string[],
  commonName: string,
  end: string,
): Buffer {
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))))
  const ips = addresses.map((address) => tlv(0x87, Buffer.from(address.split('.').map(Number))))
  const altNames = sequence(tlv(0x82, Buffer.from('localhost')), ...ips)
  const extension = sequence(oid('551d11'), tlv(0x04, altNames))
  const toBeSigned = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    sequence(time('20200101000000Z'), time(end)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(extension)),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  return sequence(toBeSigned, ECDSA_WITH_SHA256, tlv(0x03, Buffer.from([0]), signature))
}

/** Tag, length, value: DER (X.690 §8.1). */
function tlv(tag: number, ...values: Buffer[]): Buffer {
  const value = Buffer.concat(values)
  if (value.length < 128) return Buffer.concat([Buffer.from([tag, value.length]), value])
  const length = Buffer.alloc(2)
  length.writeUInt16BE(value.length)
  return Buffer.concat([Buffer.from([tag, 0x82]), length, value])
}

function sequence(...values: Buffer[]): Buffer {
  return tlv(0x30, ...values)
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'))
}

function time(text: string): Buffer {
  return tlv(0x18, Buffer.from(text))
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
