/** Where panes lie, as the media node draws them: cells of a grid, the first matters most. */
import type { Arrangement } from '@/api/types'

type Cell = readonly [x: number, y: number, size: number]
export interface Shape {
  name: Exclude<Arrangement, 'auto'>
  units: number
  cells: Cell[]
}

function grid(columns: number, rows: number, size = 1, top = 0): Cell[] {
  return Array.from({ length: rows * columns }, (_, index) => [(index % columns) * size, top + Math.floor(index / columns) * size, size] as const)
}
function around(units: number, large: Cell): Cell[] {
  const [left, top, size] = large
  const free = grid(units, units).filter(([x, y]) => x < left || x >= left + size || y < top || y >= top + size)
  return [large, ...free]
}

export const SHAPES: Shape[] = [
  { name: '1', units: 1, cells: grid(1, 1) },
  { name: '2', units: 4, cells: grid(2, 1, 2, 1) },
  { name: '3', units: 4, cells: [[0, 0, 2], [2, 0, 2], [1, 2, 2]] },
  { name: '4', units: 2, cells: grid(2, 2) },
  { name: '1+5', units: 3, cells: around(3, [0, 0, 2]) },
  { name: '1+7', units: 4, cells: around(4, [0, 0, 3]) },
  { name: '9', units: 3, cells: grid(3, 3) },
  { name: '13', units: 4, cells: around(4, [1, 1, 2]) },
  { name: '16', units: 4, cells: grid(4, 4) },
  { name: '20', units: 10, cells: grid(5, 4, 2, 1) },
  { name: '25', units: 5, cells: grid(5, 5) },
  { name: 'pip', units: 20, cells: [[0, 0, 20], [14, 14, 5]] },
]
export const shapeOf = (name: Arrangement | null): Shape | null => SHAPES.find((shape) => shape.name === name) ?? null

/** A pane's place in per cent of the picture. */
export function boxOf(shape: Shape, index: number): Record<string, string> {
  const [x, y, size] = shape.cells[index] ?? [0, 0, shape.units]
  const part = (cells: number) => `${(100 * cells) / shape.units}%`
  return { left: part(x), top: part(y), width: part(size), height: part(size) }
}
