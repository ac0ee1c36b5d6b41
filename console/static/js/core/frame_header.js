/**
 * The 16 bytes before each picture, as corrections/frames.py packs them; the console fills the reserved byte with the
 * number of `watch` messages that it heard, so that a picture still on its way is not taken for another view's:
 *
 *     version u8 | camera u8 | view u8 | watch u8 | sequence u32 | capture time ns u64, little-endian
 */

export const HEADER_BYTES = 16;
const VERSION = 1;

/**
 * @param {ArrayBuffer} data
 * @returns {{camera: number, view: number, watch: number, sequence: number, captureNs: number} | null} null if it is no picture of
 *   this version
 */
export function frameHeader(data) {
  if (data.byteLength < HEADER_BYTES) return null;
  const bytes = new DataView(data);
  if (bytes.getUint8(0) !== VERSION) return null;
  return {
    camera: bytes.getUint8(1),
    view: bytes.getUint8(2),
    watch: bytes.getUint8(3),
    sequence: bytes.getUint32(4, true),
    captureNs: Number(bytes.getBigUint64(8, true)),
  };
}
