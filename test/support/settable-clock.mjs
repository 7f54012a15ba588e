// Makes the program set its clocks at SIGUSR2, once: by so many milliseconds of CLOCK_MS for the one on the wall, of
// MONOTONIC_MS for the other, then it prints `clock set`. Timers go on as before.

const [wall, monotonic] = [Date.now.bind(Date), performance.now.bind(performance)]

process.once('SIGUSR2', () => {
  Date.now = () => wall() + Number(process.env.CLOCK_MS ?? 0)
  performance.now = () => monotonic() + Number(process.env.MONOTONIC_MS ?? 0)
  process.stdout.write('clock set\n')
})
