/** Millimetres in the units of length that image headers name. What is left open counts as mm. */
const units: ReadonlyMap<string, number> = new Map([
  ...['', '?', '???', 'none', 'mm', 'millimeter', 'millimeters', 'millimetre', 'millimetres'].map(
    (name) => [name, 1] as const,
  ),
  ...['cm', 'centimeter', 'centimeters', 'centimetre', 'centimetres'].map((name) => [name, 10] as const),
  ...['m', 'meter', 'meters', 'metre', 'metres'].map((name) => [name, 1000] as const),
  // The micro sign and the Greek letter mu.
  ...['um', '\u00b5m', '\u03bcm', 'micron', 'microns', 'micrometer', 'micrometers', 'micrometre', 'micrometres'].map(
    (name) => [name, 1e-3] as const,
  ),
  ...['nm', 'nanometer', 'nanometers', 'nanometre', 'nanometres'].map((name) => [name, 1e-6] as const),
])

/** Millimetres in a unit, or undefined where it is not one of length. */
export function millimetresIn(unit: string): number | undefined {
  return units.get(unit.trim().toLowerCase())
}
