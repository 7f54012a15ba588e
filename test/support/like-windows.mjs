// Loaded before the program, makes it take this system for Windows, where any signal ends a process at once.
const kill = process.kill.bind(process)
process.kill = (pid, signal) => kill(pid, signal === 0 ? 0 : 'SIGKILL')
Object.defineProperty(process, 'platform', { value: 'win32' })
