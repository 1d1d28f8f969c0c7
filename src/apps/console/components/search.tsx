/** A field that narrows what is shown. `/` moves to it from anywhere that takes no text. */
import { useEffect, useRef } from 'react'
import { Icon } from './icon.tsx'

interface SearchProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  /** Takes the focus at `/`. One on a page. */
  readonly main?: boolean
}

const takesText = (element: Element | null): boolean => element?.matches('input, textarea, select, [contenteditable], .terminal *') ?? false

export const Search = ({ label, value, onChange, placeholder = label, main = false }: SearchProps) => {
  const ref = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (!main) return
    const toField = (event: KeyboardEvent): void => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || takesText(document.activeElement)) return
      event.preventDefault()
      ref.current?.focus()
    }
    addEventListener('keydown', toField)
    return () => removeEventListener('keydown', toField)
  }, [main])
  return (
    <label className="search">
      <Icon name="search" />
      <span className="hidden">{label}</span>
      <input
        ref={ref}
        type="search"
        value={value}
        placeholder={main ? `${placeholder}  ( / )` : placeholder}
        spellCheck={false}
        autoComplete="off"
        onChange={event => onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && value !== '') onChange('')
        }}
      />
    </label>
  )
}
