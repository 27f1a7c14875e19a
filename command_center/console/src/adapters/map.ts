/** MapLibre's only door: the province drawn from our own boundaries, no tile or glyph server. */
import type { Feature, FeatureCollection, Geometry, LineString, Point, Polygon, Position } from 'geojson'
import {
  AttributionControl,
  LngLatBounds,
  Map as MapLibre,
  Popup,
  setWorkerUrl,
  type ExpressionSpecification,
  type GeoJSONSource,
  type MapGeoJSONFeature,
} from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import { drawSign, SIGNS, type LayerName } from './map_icons'

setWorkerUrl(workerUrl)

export interface MapPoint {
  id: string
  layer: LayerName
  name: string
  longitude: number
  latitude: number
}
/** What a line on the map is; without a tone it is a proposed route. A plume is a ring, filled. */
export type RouteTone = 'plan' | 'changed' | 'hand' | 'order' | 'chosen' | 'bridge' | 'closed' | 'plume'
export interface MapRoute {
  id: string
  name: string
  coordinates: [number, number][]
  tone?: RouteTone
}
const TONES: Record<RouteTone, string> = {
  plan: '--orange',
  changed: '--yellow',
  hand: '--violet',
  order: '--blue',
  chosen: '--green',
  bridge: '--muted',
  closed: '--red',
  plume: '--red',
}
export interface MapCallbacks {
  pick(point: { id: string; layer: LayerName } | null): void
  position(longitude: number, latitude: number): void
}

const PROVINCE: [[number, number], [number, number]] = [
  [109.6, 20.1],
  [117.4, 25.6],
]
const LAYERS = Object.keys(SIGNS) as LayerName[]
const FONT = '"Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif'

export class ProvinceMap {
  private readonly map: MapLibre
  private readonly popup = new Popup({ closeButton: false, closeOnClick: false, offset: 16, maxWidth: '280px' })
  private ready: Promise<void>

  constructor(container: HTMLElement, callbacks: MapCallbacks) {
    this.map = new MapLibre({
      container,
      style: { version: 8, sources: {}, layers: [{ id: 'sea', type: 'background', paint: { 'background-color': colour('--map-sea') } }] },
      bounds: PROVINCE,
      fitBoundsOptions: { padding: 16 },
      localIdeographFontFamily: FONT,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxZoom: 15,
      minZoom: 4,
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.addControl(new AttributionControl({ compact: true }))
    this.ready = new Promise((resolve) => this.map.once('load', () => resolve()))
    this.map.on('idle', () => {
      // Where the map stands, for whoever cannot see it: west, south, east, north.
      container.dataset.window = this.map.getBounds().toArray().flat().join(',')
    })
    this.map.on('click', (event) => {
      const hit = this.hitAt(event.point)
      callbacks.pick(hit ? { id: String(hit.properties.id), layer: hit.properties.layer as LayerName } : null)
      callbacks.position(event.lngLat.lng, event.lngLat.lat)
    })
    this.map.on('mousemove', (event) => {
      const hit = this.hitAt(event.point)
      this.map.getCanvas().style.cursor = hit ? 'pointer' : ''
      if (hit) {
        this.popup
          .setLngLat((hit.geometry as Point).coordinates as [number, number])
          .setText(String(hit.properties.name))
          .addTo(this.map)
      } else this.popup.remove()
    })
  }

  private hitAt(point: { x: number; y: number }): MapGeoJSONFeature | undefined {
    const layers = LAYERS.map((layer) => `points-${layer}`).filter((id) => this.map.getLayer(id))
    if (!layers.length) return undefined
    return this.map.queryRenderedFeatures(
      [
        [point.x - 6, point.y - 6],
        [point.x + 6, point.y + 6],
      ],
      { layers },
    )[0]
  }

  async setBoundaries(cities: FeatureCollection, counties: FeatureCollection | null): Promise<void> {
    await this.ready
    if (!this.map.getSource('cities')) this.addBoundaryLayers(cities, counties)
  }

  private addBoundaryLayers(cities: FeatureCollection, counties: FeatureCollection | null): void {
    const before = this.map.getLayersOrder().find((id) => id !== 'sea')
    this.map.addSource('cities', { type: 'geojson', data: cities })
    this.map.addSource('city-names', { type: 'geojson', data: namesOf(cities) })
    this.map.addLayer({ id: 'land', type: 'fill', source: 'cities', paint: { 'fill-color': colour('--map-land') } }, before)
    if (counties) {
      this.map.addSource('counties', { type: 'geojson', data: counties })
      this.map.addSource('county-names', { type: 'geojson', data: namesOf(counties) })
      this.map.addLayer(
        {
          id: 'county-lines',
          type: 'line',
          source: 'counties',
          minzoom: 7.2,
          paint: { 'line-color': colour('--map-line'), 'line-width': 0.6, 'line-dasharray': [3, 2] },
        },
        before,
      )
    }
    this.map.addLayer(
      { id: 'city-lines', type: 'line', source: 'cities', paint: { 'line-color': colour('--map-line'), 'line-width': 1.2 } },
      before,
    )
    this.addNames('city-names', 0, 8.4, 13, before)
    if (counties) this.addNames('county-names', 8, 24, 12, before)
  }

  private addNames(source: string, minzoom: number, maxzoom: number, size: number, before?: string): void {
    this.map.addLayer(
      {
        id: source,
        type: 'symbol',
        source,
        minzoom,
        maxzoom,
        layout: { 'text-field': ['get', 'name'], 'text-size': size, 'text-padding': 6 },
        paint: { 'text-color': colour('--muted'), 'text-halo-color': colour('--map-land'), 'text-halo-width': 1.4 },
      },
      before,
    )
  }

  async setPoints(points: MapPoint[], shown: Set<LayerName>, selected: string | null): Promise<void> {
    await this.ready
    for (const layer of LAYERS) {
      const data: FeatureCollection = {
        type: 'FeatureCollection',
        features: shown.has(layer) ? points.filter((point) => point.layer === layer).map((point) => asFeature(point, selected)) : [],
      }
      const source = this.map.getSource<GeoJSONSource>(`points-${layer}`)
      if (source) source.setData(data)
      else this.addPointLayer(layer, data)
    }
  }

  private addPointLayer(layer: LayerName, data: FeatureCollection): void {
    const id = `points-${layer}`
    if (!this.map.hasImage(layer)) this.map.addImage(layer, drawSign(SIGNS[layer]), { pixelRatio: 2 })
    this.map.addSource(id, { type: 'geojson', data })
    const isIncident = layer === 'incidents'
    // Incidents lie above everything.
    this.map.addLayer(
      {
        id,
        type: 'symbol',
        source: id,
        layout: {
          'icon-image': layer,
          'icon-size': isIncident
            ? ['case', ['get', 'selected'], 1.25, 1]
            : ['interpolate', ['linear'], ['zoom'], 5, 0.35, 7, 0.5, 10, 0.9],
          'icon-allow-overlap': true,
          'icon-anchor': isIncident ? 'bottom' : 'center',
          'text-field': isIncident ? ['get', 'name'] : ['step', ['zoom'], '', 10, ['get', 'name']],
          'text-size': isIncident ? 13 : 12,
          'text-anchor': 'top',
          'text-offset': isIncident ? [0, 0.2] : [0, 1.1],
          'text-optional': true,
          // The chosen incident's name is placed first; resources never hide a name.
          'symbol-sort-key': ['case', ['get', 'selected'], 0, 1],
          'icon-ignore-placement': !isIncident,
          'text-max-width': 12,
        },
        paint: { 'text-color': colour('--text'), 'text-halo-color': colour('--map-land'), 'text-halo-width': 1.6 },
      },
    )
    if (this.map.getLayer('points-incidents')) this.map.moveLayer('points-incidents')
  }

  async setRoutes(routes: MapRoute[]): Promise<void> {
    await this.ready
    const data: FeatureCollection<LineString | Polygon> = {
      type: 'FeatureCollection',
      features: routes
        .filter((route) => route.coordinates.length > 1)
        .map((route) => ({
          type: 'Feature',
          properties: { id: route.id, name: route.name, tone: route.tone ?? 'plan' },
          geometry: route.tone === 'plume' ? { type: 'Polygon', coordinates: [route.coordinates] } : { type: 'LineString', coordinates: route.coordinates },
        })),
    }
    const source = this.map.getSource<GeoJSONSource>('routes')
    if (source) {
      source.setData(data)
      return
    }
    const before = this.map.getLayersOrder().find((id) => id.startsWith('points-'))
    this.map.addSource('routes', { type: 'geojson', data })
    this.map.addLayer(
      { id: 'plumes', type: 'fill', source: 'routes', filter: ['==', ['get', 'tone'], 'plume'], paint: { 'fill-color': colour('--red'), 'fill-opacity': 0.22 } },
      before,
    )
    this.map.addLayer(
      { id: 'routes', type: 'line', source: 'routes', layout: { 'line-join': 'round', 'line-cap': 'round' }, paint: { 'line-color': toneColours(), 'line-width': WIDTHS } },
      before,
    )
    this.map.addLayer(
      { id: 'closed-roads', type: 'line', source: 'routes', filter: ['==', ['get', 'tone'], 'closed'], paint: { 'line-color': colour('--surface'), 'line-width': 3, 'line-dasharray': [0.7, 0.7] } },
      before,
    )
    this.map.addLayer({
      id: 'route-names',
      type: 'symbol',
      source: 'routes',
      layout: { 'symbol-placement': 'line-center', 'text-field': ['get', 'name'], 'text-size': 12, 'text-rotation-alignment': 'viewport', 'text-allow-overlap': false },
      paint: { 'text-color': colour('--text'), 'text-halo-color': colour('--map-land'), 'text-halo-width': 2 },
    })
  }

  /** Cities whose teams are too few at home: the share that is missing, 0 to 1, by division code. */
  async setShades(missing: Record<string, number>): Promise<void> {
    await this.ready
    if (!this.map.getSource('cities')) return
    const codes = Object.entries(missing)
    const byCode = ['match', ['get', 'code'], ...codes.flatMap(([code, share]) => [code, 0.12 + 0.38 * share]), 0]
    const opacity = codes.length ? (byCode as unknown as ExpressionSpecification) : 0
    if (!this.map.getLayer('shades')) {
      const before = this.map.getLayersOrder().find((id) => id === 'county-lines' || id === 'city-lines')
      this.map.addLayer({ id: 'shades', type: 'fill', source: 'cities', paint: { 'fill-color': colour('--red') } }, before)
    }
    this.map.setPaintProperty('shades', 'fill-opacity', opacity)
  }

  async show(positions: [number, number][], maxZoom = 10): Promise<void> {
    await this.ready
    if (!positions.length) {
      this.map.fitBounds(PROVINCE, { padding: 16, duration: 300 })
      return
    }
    const bounds = new LngLatBounds()
    for (const position of positions) bounds.extend(position)
    this.map.fitBounds(bounds, { padding: 60, maxZoom, duration: 300 })
  }

  zoomBy(step: number): void {
    this.map.zoomTo(this.map.getZoom() + step, { duration: 200 })
  }

  /** Take the colours of the theme that is on now. */
  async recolour(): Promise<void> {
    await this.ready
    const paint = (layer: string, name: 'background-color' | 'fill-color' | 'line-color' | 'text-color' | 'text-halo-color', token: string) => {
      if (this.map.getLayer(layer)) this.map.setPaintProperty(layer, name, colour(token))
    }
    paint('sea', 'background-color', '--map-sea')
    paint('land', 'fill-color', '--map-land')
    for (const layer of ['city-lines', 'county-lines']) paint(layer, 'line-color', '--map-line')
    if (this.map.getLayer('routes')) this.map.setPaintProperty('routes', 'line-color', toneColours())
    paint('closed-roads', 'line-color', '--surface')
    paint('shades', 'fill-color', '--red')
    paint('plumes', 'fill-color', '--red')
    for (const layer of ['city-names', 'county-names']) {
      paint(layer, 'text-color', '--muted')
      paint(layer, 'text-halo-color', '--map-land')
    }
    for (const layer of [...LAYERS.map((name) => `points-${name}`), 'route-names']) {
      paint(layer, 'text-color', '--text')
      paint(layer, 'text-halo-color', '--map-land')
    }
  }

  resize(): void {
    this.map.resize()
  }
  destroy(): void {
    this.map.remove()
  }
}

function colour(token: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim() || '#888888'
}

const WIDTHS: ExpressionSpecification = ['match', ['get', 'tone'], 'chosen', 5.5, 'closed', 7, 'bridge', 4, 'order', 2.5, 'plume', 1.5, 3.5]

function toneColours(): ExpressionSpecification {
  const pairs = (Object.keys(TONES) as RouteTone[]).flatMap((tone) => [tone, colour(TONES[tone])])
  return ['match', ['get', 'tone'], ...pairs, colour('--orange')] as unknown as ExpressionSpecification
}

function asFeature(point: MapPoint, selected: string | null): Feature<Point> {
  return {
    type: 'Feature',
    properties: { id: point.id, layer: point.layer, name: point.name, selected: point.id === selected },
    geometry: { type: 'Point', coordinates: [point.longitude, point.latitude] },
  }
}

/** One name per division, in the middle of its largest ring. */
function namesOf(divisions: FeatureCollection): FeatureCollection<Point> {
  return {
    type: 'FeatureCollection',
    features: divisions.features.map((division) => ({
      type: 'Feature',
      properties: { name: division.properties?.name ?? '' },
      geometry: { type: 'Point', coordinates: middleOf(division.geometry) },
    })),
  }
}

function middleOf(geometry: Geometry): Position {
  const rings = geometry.type === 'Polygon' ? [geometry.coordinates[0]] : geometry.type === 'MultiPolygon' ? geometry.coordinates.map((polygon) => polygon[0]) : []
  let best: Position = [0, 0]
  let largest = -1
  for (const ring of rings) {
    if (!ring) continue
    const { area, centre } = measure(ring)
    if (area > largest) {
      largest = area
      best = centre
    }
  }
  return best
}

function measure(ring: Position[]): { area: number; centre: Position } {
  let twice = 0
  let x = 0
  let y = 0
  for (let index = 0; index + 1 < ring.length; index++) {
    const [x0 = 0, y0 = 0] = ring[index] ?? []
    const [x1 = 0, y1 = 0] = ring[index + 1] ?? []
    const cross = x0 * y1 - x1 * y0
    twice += cross
    x += (x0 + x1) * cross
    y += (y0 + y1) * cross
  }
  if (Math.abs(twice) < 1e-9) return { area: 0, centre: ring[0] ?? [0, 0] }
  return { area: Math.abs(twice), centre: [x / (3 * twice), y / (3 * twice)] }
}
