export type Cell = string | number

/** A Markdown table, so that a run's output can be pasted into the documentation as it is. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [header, ...rows].map((row) => row.map(text))
  const widths = header.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)))
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head = [], ...body] = lines
  return [head, rule, ...body]
    .map((line) => `| ${widths.map((width, i) => pad(line[i] ?? '', width, i)).join(' | ')} |`)
    .join('\n')
}

/** Three significant digits: more would claim a precision that no run on a shared machine has. */
function text(cell: Cell): string {
  if (typeof cell === 'string') return cell
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : String(Number(cell.toPrecision(3)))
}

function pad(value: string, width: number, column: number): string {
  return column === 0 ? value.padEnd(width) : value.padStart(width)
}
