/** The sector that routes keep out of, as the optimiser has it: 45 degrees to both sides of the lee. */
const HALF_DEG = 45
const STEPS = 18
const METRES_PER_DEGREE = 111_320

/** A closed ring of lon/lat points around the place's lee; the wind is named by where it comes from. */
export function plumeRing(longitude: number, latitude: number, windFromDeg: number, radiusM: number): [number, number][] {
  const place: [number, number] = [longitude, latitude]
  const ring: [number, number][] = [place]
  for (let step = 0; step <= STEPS; step++) {
    const bearing = ((windFromDeg + 180 - HALF_DEG + (2 * HALF_DEG * step) / STEPS) * Math.PI) / 180
    const north = (radiusM * Math.cos(bearing)) / METRES_PER_DEGREE
    const east = (radiusM * Math.sin(bearing)) / (METRES_PER_DEGREE * Math.cos((latitude * Math.PI) / 180))
    ring.push([longitude + east, latitude + north])
  }
  return [...ring, place]
}
