/** What both halves of the playground have in common: a field for text, and an answer that follows it. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { KeyboardEvent } from 'react'
import { useEffect, useId, useState } from 'react'
import type { z } from 'zod'
import { checked, request } from '../../api/http.ts'

/** ms without a key before it is tried. */
const rest = 250

const useRested = <T,>(value: T): T => {
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), rest)
    return () => clearTimeout(timer)
  }, [value])
  return rested
}

/** The answer to what was typed last; that before it stays while it is asked for. What is typed meanwhile takes back the question. */
export const useTried = <S extends z.ZodType>(schema: S, path: string, body: object | undefined) => {
  const text = useRested(body === undefined ? undefined : JSON.stringify(body))
  return useQuery({
    queryKey: ['playground', path, text],
    queryFn: async ({ signal }): Promise<z.output<S>> =>
      checked(schema, await (await request(path, { method: 'POST', body: JSON.parse(text ?? '{}'), signal })).json()),
    enabled: text !== undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    retry: false,
  })
}

interface EditorProps {
  readonly label: string
  readonly value: string
  readonly rows: number
  readonly onChange: (text: string) => void
}

/** Tab goes on to the next field, as everywhere: two spaces are two keys. Enter keeps the indentation. */
export const Editor = ({ label, value, rows, onChange }: EditorProps) => {
  const id = useId()
  const indent = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return
    const { selectionStart: from, selectionEnd: to } = event.currentTarget
    const line = value.slice(value.lastIndexOf('\n', from - 1) + 1, from)
    const [blanks = ''] = /^ */.exec(line) ?? []
    if (blanks === '') return
    event.preventDefault()
    event.currentTarget.setRangeText(`\n${blanks}`, from, to, 'end')
    onChange(event.currentTarget.value)
  }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className="editor"
        rows={rows}
        value={value}
        maxLength={65_536}
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
        wrap="off"
        onChange={event => onChange(event.target.value)}
        onKeyDown={indent}
      />
    </div>
  )
}

export const Faults = ({ faults }: { readonly faults: readonly string[] }) =>
  faults.length === 0 ? null : (
    <pre className="notice notice-bad faults" role="alert">
      {faults.join('\n')}
    </pre>
  )
