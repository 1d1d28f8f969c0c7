/**
 * A document for xterm.js, which puts its colours and sizes into style elements: the page's policy forbids these, as it should. This one hands out an
 * element whose text becomes a constructed style sheet, which is the program's own doing and allowed.
 */
const sheetOf = (element: HTMLElement): HTMLElement => {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  const remove = element.remove.bind(element)
  let text = ''
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (next: string) => {
      text = next
      sheet.replaceSync(next)
    },
  })
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(each => each !== sheet)
    remove()
  }
  return element
}

/** For the option `documentOverride`. */
export const terminalDocument = (): Document =>
  new Proxy(document, {
    get: (target, name) => {
      if (name === 'createElement') {
        // Not a style element at all: an empty template shows nothing and styles nothing.
        return (tag: string) => (tag === 'style' ? sheetOf(target.createElement('template')) : target.createElement(tag))
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
