import { networkInterfaces } from 'node:os'
import { expect, test, vi } from 'vitest'
import { NetworkWatch } from './network-watch.ts'

function machine() {
  const state = { wall: 1_800_000_000_000, monotonic: 7_000, addresses: '192.0.2.7' }
  const looks = vi.fn(() => state.addresses)
  const watch = new NetworkWatch({ now: () => state.wall, monotonic: () => state.monotonic, addresses: looks })
  const pass = (milliseconds: number) => {
    state.wall += milliseconds
    state.monotonic += milliseconds
  }
  return { state, looks, watch, pass }
}

test('time that passes while the machine is awake changes nothing', () => {
  const { watch, pass } = machine()
  for (const milliseconds of [0, 1, 1_999, 2_000, 3_600_000]) {
    pass(milliseconds)
    expect(watch.hasChanged()).toBe(false)
  }
})

test('a sleep, in which only the clock on the wall goes on, is told once', () => {
  const { watch, state, pass } = machine()
  state.wall += 5_001
  pass(100)
  expect(watch.hasChanged()).toBe(true)
  pass(100)
  expect(watch.hasChanged()).toBe(false)
  state.wall += 3_600_000
  expect(watch.hasChanged()).toBe(true)
})

test('a clock that is set a little, or back, is no sleep', () => {
  const { watch, state } = machine()
  state.wall += 5_000
  expect(watch.hasChanged()).toBe(false)
  state.wall -= 3_600_000
  expect(watch.hasChanged()).toBe(false)
  state.wall += 5_000
  expect(watch.hasChanged()).toBe(false)
})

test('another address is told once, and looked for at most every two seconds', () => {
  const { watch, state, pass, looks } = machine()
  state.addresses = '198.51.100.7'
  pass(1_999)
  expect(watch.hasChanged()).toBe(false)
  expect(looks).toHaveBeenCalledTimes(1)
  pass(1)
  expect(watch.hasChanged()).toBe(true)
  pass(1_999)
  expect(watch.hasChanged()).toBe(false)
  pass(1)
  expect(watch.hasChanged()).toBe(false)
  expect(looks).toHaveBeenCalledTimes(3)
})

test('a sleep that ends in another network is one change', () => {
  const { watch, state, pass } = machine()
  state.wall += 3_600_000
  state.addresses = '198.51.100.7'
  pass(2_000)
  expect(watch.hasChanged()).toBe(true)
  pass(2_000)
  expect(watch.hasChanged()).toBe(false)
})

vi.mock('node:os', { spy: true })

test('of the real machine, addresses count that lead beyond it and its own link', () => {
  const entry = (address: string, internal: boolean) => ({ address, internal }) as never
  let monotonic = 0
  const listed = vi.mocked(networkInterfaces)
  listed.mockReturnValue({ lo: [entry('127.0.0.1', true)], eth0: [entry('192.0.2.7', false)] })
  const watch = new NetworkWatch({ now: () => monotonic, monotonic: () => monotonic })
  const changed = (interfaces: ReturnType<typeof networkInterfaces>) => {
    monotonic += 2_000
    listed.mockReturnValue(interfaces)
    return watch.hasChanged()
  }
  const containers = { veth1: [entry('fe80::1', false)], tun0: undefined }
  expect(changed({ lo: [entry('127.0.0.2', true)], eth0: [entry('192.0.2.7', false)], ...containers })).toBe(false)
  expect(changed({ lo: [], eth0: [entry('192.0.2.7', false), entry('2001:db8::7', false)] })).toBe(true)
  expect(changed({ lo: [], eth0: [entry('192.0.2.7', false)] })).toBe(true)
  listed.mockRestore()
})

test('a system that does not tell its addresses is watched for sleep alone', () => {
  let [wall, monotonic] = [0, 0]
  const listed = vi.mocked(networkInterfaces).mockImplementation(() => {
    throw new Error('uv_interface_addresses returned Unknown system error 13')
  })
  const watch = new NetworkWatch({ now: () => wall, monotonic: () => monotonic })
  const changedAfter = (awake: number, asleep: number) => {
    monotonic += awake
    wall += awake + asleep
    return watch.hasChanged()
  }
  expect(changedAfter(2_000, 0)).toBe(false)
  expect(changedAfter(2_000, 3_600_000)).toBe(true)
  listed.mockRestore()
})
