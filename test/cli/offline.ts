/** A folder of somebody's project, and the command line in it, without a daemon. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Outcome } from './fake.ts'
import { outcome, program } from './fake.ts'

export interface OfflineProject extends Disposable {
  readonly folder: string
  put(files: Readonly<Record<string, string>>): void
  /** Runs `dayfly` in the folder, with nothing of the caller's environment but PATH. */
  run(args: readonly string[], stdin?: string): Promise<Outcome>
}

export const openProject = (files: Readonly<Record<string, string>> = {}): OfflineProject => {
  const top = mkdtempSync('/tmp/dayfly-offline-')
  const folder = join(top, 'project')
  mkdirSync(folder)
  const put: OfflineProject['put'] = each => {
    for (const [path, text] of Object.entries(each)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  put(files)
  return {
    folder,
    put,
    run: (args, stdin = '') => {
      const env = { PATH: process.env['PATH'], HOME: top, DAYFLY_RUN_DIR: join(top, 'run'), DAYFLY_STATE_DIR: join(top, 'state') }
      const child = spawn(program, [...args], { cwd: folder, env })
      child.stdin.on('error', () => {}) // Not every command reads what it is given.
      child.stdin.end(stdin)
      return outcome(child)
    },
    [Symbol.dispose]: () => rmSync(top, { recursive: true, force: true }),
  }
}
