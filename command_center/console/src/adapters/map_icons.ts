/** Map signs: a shape and a character for each layer, so that none is told by colour alone. */
export type LayerName = 'incidents' | 'sites' | 'teams' | 'depots' | 'hazards' | 'cameras'

export interface Sign {
  shape: 'circle' | 'square' | 'diamond' | 'triangle' | 'pin' | 'hexagon'
  glyph: string
  fill: string
  ink: string
}

export const SIGNS: Record<LayerName, Sign> = {
  incidents: { shape: 'pin', glyph: '!', fill: '#D1242F', ink: '#FFFFFF' },
  sites: { shape: 'square', glyph: '会', fill: '#1F6FEB', ink: '#FFFFFF' },
  teams: { shape: 'circle', glyph: '队', fill: '#2DA44E', ink: '#06210F' },
  depots: { shape: 'hexagon', glyph: '库', fill: '#A475F9', ink: '#1A0B36' },
  hazards: { shape: 'diamond', glyph: '危', fill: '#E3B341', ink: '#241A00' },
  cameras: { shape: 'triangle', glyph: '镜', fill: '#58C6D9', ink: '#06282E' },
}

const SIDE = 60

/** The sign as pixels for a map image at twice the screen's resolution. */
export function drawSign(sign: Sign): ImageData {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  const pen = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D
  tracePath(pen, sign.shape)
  pen.fillStyle = sign.fill
  pen.fill()
  pen.lineWidth = 4
  pen.strokeStyle = '#FFFFFF'
  pen.stroke()
  pen.fillStyle = sign.ink
  const isLow = sign.shape === 'triangle'
  pen.font = `700 ${sign.shape === 'pin' ? 34 : isLow ? 20 : 27}px "Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif`
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.fillText(sign.glyph, SIDE / 2, SIDE / 2 + (isLow ? 10 : sign.shape === 'pin' ? -3 : 1.5))
  return pen.getImageData(0, 0, SIDE, SIDE)
}

function tracePath(pen: CanvasRenderingContext2D, shape: Sign['shape']): void {
  const middle = SIDE / 2
  pen.beginPath()
  if (shape === 'circle') pen.arc(middle, middle, 25, 0, 2 * Math.PI)
  else if (shape === 'square') pen.roundRect(6, 6, 48, 48, 8)
  else if (shape === 'pin') {
    pen.arc(middle, 25, 21, Math.PI * 0.8, Math.PI * 0.2)
    pen.lineTo(middle, 57)
    pen.closePath()
  } else {
    const corners = { diamond: 4, triangle: 3, hexagon: 6 }[shape]
    for (let index = 0; index < corners; index++) {
      const angle = -Math.PI / 2 + (2 * Math.PI * index) / corners
      const radius = shape === 'triangle' ? 29 : 27
      const y = middle + (shape === 'triangle' ? 5 : 0) + radius * Math.sin(angle)
      pen.lineTo(middle + radius * Math.cos(angle), y)
    }
    pen.closePath()
  }
}

/** The same sign for the legend, as an image address. */
export function signUrl(sign: Sign): string {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = SIDE
  canvas.getContext('2d')?.putImageData(drawSign(sign), 0, 0)
  return canvas.toDataURL()
}
