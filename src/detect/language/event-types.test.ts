import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { contextOf } from '../../../test/detect/context.ts'
import { kernelEventTypes } from '../../model/kernel-event.ts'
import { eventName, eventNames } from '../fields/event-names.ts'
import { fieldTable } from '../fields/table.ts'
import { bindExpression } from './bind.ts'
import type { Condition } from './condition.ts'
import { eventTypesOf } from './event-types.ts'
import { parseExpression } from './parse.ts'
import { compileCondition, createWorkshop } from './predicate.ts'
import { simplify } from './simplify.ts'

const bind = (text: string): Condition =>
  bindExpression(
    {
      fields: fieldTable,
      list: () => undefined,
      macro: () => undefined,
      fault: (_kind, _at, message) => assert.fail(`${text}: ${message}`),
      warning: () => {},
      lacking: () => {},
    },
    parseExpression(text),
  )
const typesOf = (text: string): readonly string[] => [...eventTypesOf(simplify(bind(text)))].sort()
const all = [...eventNames].sort()
const allBut = (...names: readonly string[]): readonly string[] => all.filter(name => !names.includes(name))

/** An event of each name. */
const events = all.map(name => {
  const type = kernelEventTypes.find(each => eventName({ type: each, syscall: name }) === name)
  assert.ok(type, name)
  return contextOf({ type, syscall: name }, { name: 'sh' })
})

describe('the events that a condition can hold for', () => {
  it('follow from its checks of evt.type, however they are joined', () => {
    const known: readonly (readonly [string, readonly string[]])[] = [
      ['evt.type = execve', ['execve']],
      ['evt.type in (execve, open) and proc.name = x', ['execve', 'open']],
      ['evt.type = execve or proc.name = x', all],
      ['evt.type != execve', allBut('execve')],
      ['not evt.type = execve', allBut('execve')],
      ['not evt.type != execve', ['execve']],
      ['not (evt.type = execve or evt.type = open)', allBut('execve', 'open')],
      ['not (evt.type = execve and proc.name = x)', all],
      ['not (evt.type != execve or not proc.name = x)', ['execve']],
      ['not proc.name = x', all],
      ['evt.type = execve and evt.type = open', []],
      ['evt.type exists', all],
      ['not evt.type exists', []],
      ['evt.type startswith mem', ['memfd_create']],
      ['evt.type = anyof (open, openat)', ['open', 'openat']],
      ['syscall.type exists', allBut('dns', 'procexit')],
      ['not syscall.type exists', ['dns', 'procexit']],
      ['not syscall.type = open', allBut('open')],
      ['evt.type = read', []],
      ['evt.type in (read, open)', ['open']],
      ['evt.num = 0', []],
      ['evt.num >= 1', all],
      ['not evt.num < 1 and evt.type = open', ['open']],
      ['evt.num in (0)', []],
      ['evt.num != 0', all],
      ['evt.dir = ">" and evt.type = open', []],
      ['evt.dir = "<" and evt.type = open', ['open']],
      ['proc.env contains x', []],
      ['not proc.env contains x and evt.type = open', ['open']],
    ]
    for (const [text, types] of known) assert.deepEqual(typesOf(text), types, text)
  })

  const check = fc.constantFrom(
    ...[
      'evt.type = execve',
      'evt.type != open',
      'evt.type in (open, openat, connect)',
      'evt.type startswith set',
      'syscall.type = dns',
      'proc.name = sh',
      'proc.name = x',
    ],
    ...['fd.name exists', 'evt.num = 0', 'evt.num >= 0', 'evt.dir = ">"', 'proc.env exists', 'evt.type = read', 'evt.failed = false'],
  )
  const { text } = fc.letrec<{ text: string }>(tie => ({
    text: fc.oneof(
      { maxDepth: 4 },
      check,
      fc
        .tuple(fc.constantFrom(' and ', ' or '), fc.array(tie('text'), { minLength: 2, maxLength: 3 }))
        .map(([word, parts]) => `(${parts.join(word)})`),
      tie('text').map(inner => `not (${inner})`),
    ),
  }))

  it('leave none out for which it holds, and what is simplified holds for the same', () => {
    fc.assert(
      fc.property(text, condition => {
        const bound = bind(condition)
        const simple = simplify(bound)
        const types = eventTypesOf(simple)
        const [holds, holdsSimple] = [compileCondition(createWorkshop(), bound), compileCondition(createWorkshop(), simple)]
        for (const context of events) {
          const held = holds(context)
          assert.equal(holdsSimple(context), held, condition)
          if (held) assert.ok(types.has(eventName(context.event)), `${condition}: ${eventName(context.event)}`)
        }
      }),
      { numRuns: 300 },
    )
  })
})
