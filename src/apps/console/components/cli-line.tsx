/** “The command for this”: what is on screen, as a line for a terminal. */
import { useState } from 'react'
import { shellLine } from '../format.ts'
import { Icon } from './icon.tsx'

interface CliLineProps {
  /** Words after `dayfly`; each is quoted as a shell needs it. */
  readonly words: readonly string[]
  /** What it does, where it is not told beside it: for who hears the page. */
  readonly label?: string
}

export const CliLine = ({ words, label = 'The command for this' }: CliLineProps) => {
  const [copied, setCopied] = useState(false)
  const line = shellLine(['dayfly', ...words])
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(line)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <div className="cli">
      <span className="cli-prompt" aria-hidden="true">
        $
      </span>
      <code title={label}>{line}</code>
      <button type="button" className="quiet icon-button" aria-label={`Copy: ${line}`} onClick={() => void copy().catch(() => undefined)}>
        <Icon name={copied ? 'check' : 'copy'} />
      </button>
      <span className="hidden" role="status">
        {copied ? 'Copied' : ''}
      </span>
    </div>
  )
}
