/** A clock that stands still until it is moved. */
import type { Agenda } from '../../base/agenda.ts'
import { createAgenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'

export interface ManualClock extends Clock {
  /** An agenda of this clock, done by `advance`. */
  agenda(): Agenda
  /** Both clocks go on by `ms`, from one agenda entry to the next; resolves when what that set off has come to rest. */
  advance(ms: number): Promise<void>
  /** Somebody sets the wall clock: forward, or back when negative. */
  step(ms: number): void
  /** Another boot of the machine: a new boot id, the boot clock begins again. Agendas of before are of processes that are gone. */
  reboot(): void
  bootId: string
}

/** Lets everything run that waits for promises and immediates only. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn++) await new Promise(resolve => setImmediate(resolve))
}

export const manualClock = (): ManualClock => {
  let wall = Date.UTC(2026, 0, 1)
  let boot = 1_000_000
  let boots = 1
  let agendas: Agenda[] = []
  const clock: ManualClock = {
    wall: () => wall,
    boot: () => boot,
    bootId: 'boot-1',
    agenda: () => {
      const made = createAgenda(clock)
      agendas.push(made)
      return made
    },
    advance: async ms => {
      await settle()
      const end = boot + ms
      for (;;) {
        const next = Math.min(end, ...agendas.map(agenda => agenda.next ?? end))
        wall += Math.max(0, next - boot)
        boot = Math.max(boot, next)
        const done = agendas.reduce((count, agenda) => count + agenda.run(), 0)
        if (done > 0) await settle()
        else if (boot >= end) return await settle()
      }
    },
    step: ms => {
      wall += ms
    },
    reboot: () => {
      boots++
      clock.bootId = `boot-${boots}`
      boot = 5_000
      for (const agenda of agendas) agenda[Symbol.dispose]()
      agendas = []
    },
  }
  return clock
}
