const SVG = 'http://www.w3.org/2000/svg'

const paths = {
  plus: ['M12 5v14', 'M5 12h14'],
  menu: ['M4 7h16', 'M4 12h16', 'M4 17h10'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  send: ['M12 19V5', 'M6 11l6-6 6 6'],
  down: ['M12 5v14', 'M6 13l6 6 6-6'],
  sun: [
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
    'M12 2.5v2',
    'M12 19.5v2',
    'M2.5 12h2',
    'M19.5 12h2',
    'M5.3 5.3l1.4 1.4',
    'M17.3 17.3l1.4 1.4',
    'M5.3 18.7l1.4-1.4',
    'M17.3 6.7l1.4-1.4',
  ],
  moon: ['M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z'],
  stop: ['M7 7h10v10H7z'],
  copy: ['M9 9h10v11H9z', 'M15 9V4H5v11h4'],
  again: ['M5 12a7 7 0 1 1 2.2 5.1', 'M4.5 17.5h3.2v-3.2'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  chat: ['M4 5h16v11H9.5L5.5 19.5V16H4z'],
} as const

export type IconName = keyof typeof paths

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', `cb-icon cb-icon-${name}`)
  svg.setAttribute('aria-hidden', 'true')
  for (const d of paths[name]) {
    const path = svg.appendChild(document.createElementNS(SVG, 'path'))
    path.setAttribute('d', d)
  }
  return svg
}
