import { frameElements, withElements } from './dicom-bytes.ts'

/**
 * Two frames of 8 columns × 6 rows: pixel n of the 96 is (37·n mod 1000) − 300, in 16 bits; for JPEG baseline 40 and
 * 200 all over, in 8. Compressed by gdcmconv 3.0.21 (JPEG 2000: see pydicom.test.ts).
 */
const coded = {
  '1.2.840.10008.1.2.4.70': [
    '/9j/wwALEAAGAAgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAABgkKD//aAAgBAQABAADv2olSpUqVKlpQlSpUqVKlpQlSpUqVKlpQ' +
      'lSpcHiVKlyfpUqVKlSpaUJUqVKlSpf/ZAA==',
    '/9j/wwALEAAGAAgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAABgoJD//aAAgBAQABAADgO2lSpUqVLB5J+lSpUqVKl0oSpUqVKlS6' +
      'UJUqVKlSpdKEsHiVKlSpZP0qVKlSpUv/2Q==',
  ],
  '1.2.840.10008.1.2.4.80': [
    '/9j/9wALEAAGAAgBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAGVokxHkWQ6DP57lCJUAIAgCAQCAGT8oRIkaRKFQIlZOn08n' +
      'QDLzqcRIWBm00iVEqAQCAMnQEBADJkymEjD/2QA=',
    '/9j/9wALEAAGAAgBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAHt4kxHkWQ6DPwGSV/iVEiRpEoUSolZSgBAEAQCAQAyjlCgT' +
      '6eTqcW0SsoWgAAnZpMphLokLAxIiVAIBAQEAAP/ZAA==',
  ],
  '1.2.840.10008.1.2.5': [
    'AgAAAEAAAABaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP/++/8A//oA+wH/' +
      'Av0CAP7+//3//QD+APwBB9T5HkNojbLXB/whRmuQtdr/ByRJbpO43QInB0xxlrv4HUJnB4yx1vsgRWqPB7TZ/iNIbZK3',
    'AgAAAEAAAABcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB+wIA/vr/AAD7' +
      'AP8B/QH9Av8CAP78////+wAH3AEmS3CVuvcHHEFmi7DV+h8HRGmOs9j9IkcHbJG22wAlSm8HlLn2G0Bliq8H1PkeQ2iNstc=',
  ],
  '1.2.840.10008.1.2.4.50': [
    '/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAAL' +
      'CAAGAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG' +
      'E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4' +
      'eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6' +
      '/9oACAEBAAA/AP5P6//ZAA==',
    '/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAAL' +
      'CAAGAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG' +
      'E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4' +
      'eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6' +
      '/9oACAEBAAA/AP6QK//ZAA==',
  ],
}
export const sixteen = Array.from({ length: 96 }, (_, n) => ((37 * n) % 1000) - 300)
const eight = Array.from({ length: 96 }, (_, n) => (n < 48 ? 40 : 200))
/** What each compressed pair decodes to. */
export const compressedCases = Object.entries(coded).map(([syntax, coded]) => {
  const bits = syntax.endsWith('.50') ? 8 : 16
  return { syntax, bits, parts: coded.map((part) => Buffer.from(part, 'base64')), truth: bits === 8 ? eight : sixteen }
})

/** Elements of their file. Frames run from head to foot, so that the first one stored is the last slice. */
export const twoFrames = (bits: number) =>
  withElements(
    frameElements({
      rows: 6,
      columns: 8,
      bits,
      pixels: [],
      positions: [
        [0, 0, 5],
        [0, 0, 0],
      ],
    }),
    [0x00280103, 'US', [bits === 16 ? 1 : 0]],
  )
