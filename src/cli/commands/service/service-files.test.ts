import { expect, test } from 'vitest'
import { portIn, serviceCommand, serviceFile, settingsAsVariables } from './service-files.ts'

const parts = {
  home: '/home/so me',
  configHome: '/home/so me/.config',
  userId: 501,
  node: '/opt/100%/$node',
  program: '/home/so me/main.js',
  logFile: '/home/so me/log',
  environment: { CODEX_PROXY_API_KEY: '<a> & "b" \\ $c %d' },
  drainTimeout: 30_000,
}

test.each([
  ['linux', 'systemctl --user restart codex-api-proxy', 'systemctl --user stop codex-api-proxy'],
  ['darwin', 'launchctl kickstart -k gui/$(id -u)/codex-api-proxy', 'launchctl bootout gui/$(id -u)/codex-api-proxy'],
  ['win32', undefined, undefined],
] as const)('on %s a service is restarted by `%s` and stopped by `%s`', (platform, restart, stop) => {
  expect(serviceCommand('restart', platform)).toBe(restart)
  expect(serviceCommand('stop', platform)).toBe(stop)
})

test('a systemd unit is whole, and quotes what systemd would read otherwise', () => {
  const { path, content } = serviceFile('systemd', parts)
  expect(path).toBe('/home/so me/.config/systemd/user/codex-api-proxy.service')
  expect(content).toBe(String.raw`[Unit]
Description=OpenAI-compatible server on the Codex login
Documentation=https://github.com/codex-api-proxy/codex-api-proxy

[Service]
ExecStart="/opt/100%%/$$node" "/home/so me/main.js" start --foreground
Environment="CODEX_PROXY_API_KEY=<a> & \"b\" \\ $c %%d"
Restart=on-failure
RestartSec=5
# 2: the settings are unusable; starting again would not help.
RestartPreventExitStatus=2
TimeoutStopSec=95
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`)
})

test.each(['\n', '\r'])(
  'a systemd unit takes no line break, which would begin a directive of its own (%j)',
  (lineBreak) => {
    const environment = { CODEX_PROXY_API_KEY: `hidden${lineBreak}ExecStartPre=/bin/false` }
    expect(() => serviceFile('systemd', { ...parts, environment })).toThrow(
      /^A service can't have a line break in CODEX_PROXY_API_KEY\.$/,
    )
    expect(() => serviceFile('systemd', { ...parts, program: `/a${lineBreak}b` })).toThrow('in "/a\\')
  },
)

test('a launchd agent is XML with the same content: 63 is 077', () => {
  const { path, content, install } = serviceFile('launchd', parts)
  expect(path).toBe('/home/so me/Library/LaunchAgents/codex-api-proxy.plist')
  expect(content).toBe(String.raw`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>codex-api-proxy</string>
  <key>ProgramArguments</key>
  <array>
    <string>/opt/100%/$node</string>
    <string>/home/so me/main.js</string>
    <string>start</string>
    <string>--foreground</string>
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>CODEX_PROXY_API_KEY</key>
    <string>&lt;a&gt; &amp; "b" \ $c %d</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>95</integer>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardErrorPath</key>
  <string>/home/so me/log</string>
</dict>
</plist>
`)
  expect(install).toEqual([
    ['launchctl', 'enable', 'gui/501/codex-api-proxy'],
    ['launchctl', 'bootstrap', 'gui/501', path],
  ])
})

test.each(['systemd', 'launchd'] as const)('the port of a service is read from its file again: %s', (manager) => {
  const fileAt = (environment: Record<string, string>) => serviceFile(manager, { ...parts, environment }).content
  expect(portIn(fileAt({ CODEX_PROXY_HOST: '::1', CODEX_PROXY_PORT: '9999' }))).toBe(9999)
  expect(portIn(fileAt({ CODEX_PROXY_HOST: '::1' }))).toBe(8765)
})

test('settings become the first of their variables; those of the run files have none', () => {
  expect(settingsAsVariables({ port: '1', allowHost: ['a', 'b'], proxy: 'none', pidFile: '/p' })).toEqual({
    CODEX_PROXY_PORT: '1',
    CODEX_PROXY_ALLOW_HOST: 'a,b',
    CODEX_API_PROXY_HTTPS_PROXY: 'none',
  })
})
