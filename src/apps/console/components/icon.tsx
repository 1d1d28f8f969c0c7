/** Line drawings of 16 × 16, in the colour of the text. Always beside a word, or within a button that has a name. */
const shapes = {
  now: 'M1.5 4h8M5 8h9.5M2.5 12h6',
  shield: 'M8 1.7 13.5 4v4c0 3.2-2.3 5.4-5.5 6.4C4.8 13.4 2.5 11.2 2.5 8V4z',
  host: 'M2 3h12v4H2zM2 9h12v4H2zM4.5 5h.01M4.5 11h.01',
  cost: 'M8 1.5v13M11 4.2C10.4 3.4 9.3 3 8 3 6.3 3 5 3.9 5 5.3c0 3.200 6.200 1.9 6.200 5.100 0 1.5-1.400 2.5-3.200 2.5-1.5 0-2.700-.5-3.3-1.5',
  start: 'M4 2.5 13 8l-9 5.5z',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  check: 'm3 8.5 3.3 3.3L13 4.800',
  close: 'm4 4 8 8m0-8-8 8',
  pause: 'M5.5 3v10M10.5 3v10',
  more: 'M3 8h.01M8 8h.01M13 8h.01',
  extend: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM8 5.5V8l2 1.5',
  stop: 'M4 4h8v8H4z',
  back: 'M10 3 5 8l5 5',
  open: 'm6 3 5 5-5 5',
  out: 'M6.5 3h-4v10.5H13v-4M9 2.5h4.5V7M13 3 7.5 8.5',
  alert: 'M8 2 15 13.5H1zM8 6.5v3M8 11.5h.01',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  menu: 'M2 4h12M2 8h12M2 12h12',
} as const
export type IconName = keyof typeof shapes

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d={shapes[name]} />
  </svg>
)
