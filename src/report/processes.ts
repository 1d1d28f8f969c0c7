/** Processes from the kernel's events: who started whom, from which file. */
import type { KernelEvent } from '../model/kernel-event.ts'
import type { ReportProcess, Some } from '../model/report.ts'

const mostArgs = 24
const longestArg = 256

type Found = { -readonly [K in keyof Omit<ReportProcess, 'parent'>]: ReportProcess[K] } & { readonly key: string; readonly parentKey: string }

export interface ProcessList {
  /** In the order in which they happened. Events of other types are passed over. */
  see(event: KernelEvent): void
  list(): Some<ReportProcess>
}

const keyOf = (instance: string, pid: number, start: number): string => `${instance} ${pid} ${start}`
const cut = (text: string): string => (text.length > longestArg ? `${text.slice(0, longestArg)}…` : text)

export const createProcessList = (most: number): ProcessList => {
  const processes = new Map<string, Found>()
  let left = 0

  const of = (event: KernelEvent): Found | undefined => {
    const key = keyOf(event.instance, event.pid, event.start)
    const known = processes.get(key)
    if (known !== undefined) return known
    return add(key, keyOf(event.instance, event.parentPid, event.parentStart), event.instance, event.vpid, event.name, event.uid, event.time)
  }
  const add = (key: string, parentKey: string, instance: string, pid: number, name: string, uid: number, startedAt: number): Found | undefined => {
    if (processes.size >= most) {
      left++
      return undefined
    }
    const made: Found = {
      ...{
        key,
        parentKey,
        instance,
        pid,
        name,
        exe: null,
        args: [],
        argsMore: 0,
        sha256: null,
        flags: [],
        uid,
        startedAt,
        endedAt: null,
        result: null,
      },
    }
    processes.set(key, made)
    return made
  }

  return {
    see: event => {
      if (event.type === 'fork' && event.child !== undefined && event.childStart !== undefined) {
        const key = keyOf(event.instance, event.child, event.childStart)
        const parent = keyOf(event.instance, event.pid, event.start)
        if (!processes.has(key)) add(key, parent, event.instance, event.childVpid ?? event.child, event.name, event.uid, event.time)
      }
      if (event.type === 'exec') {
        const found = of(event)
        if (found === undefined) return
        const args = event.args ?? []
        found.name = event.name
        found.uid = event.euid
        found.exe = event.exe ?? event.path ?? null
        found.args = args.slice(0, mostArgs).map(cut)
        found.argsMore = Math.max(0, (event.argsCount ?? args.length) - found.args.length)
        found.sha256 = event.sha256 ?? null
        found.flags = (event.flags ?? []).filter(flag => flag === 'upper' || flag === 'memfd' || flag === 'denied' || flag === 'would_deny')
      }
      if (event.type === 'exit') {
        // Of one that nobody saw begin there is nothing to tell but its end.
        const found = processes.get(keyOf(event.instance, event.pid, event.start))
        if (found === undefined) return
        found.endedAt = event.time
        found.result = event.result
      }
    },
    list: () => {
      const all = [...processes.values()]
      const places = new Map(all.map(({ key }, index) => [key, index]))
      const items = all.map(({ key: _, parentKey, ...rest }, index) => {
        const parent = places.get(parentKey)
        return { ...rest, parent: parent === undefined || parent === index ? null : parent }
      })
      return { items, more: left }
    },
  }
}
