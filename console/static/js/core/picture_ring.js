/**
 * The last seconds of some views, as they came (JPEG), so that a request for help can open on what happened before.
 */

/** @typedef {{receivedMs: number, jpeg: ArrayBuffer}} Kept */

export class PictureRing {
  /** @type {Map<string, Kept[]>} */
  #rings = new Map();

  /**
   * @param {string} viewId
   * @param {number} keepMs pictures older than this are forgotten
   * @param {Kept} picture
   */
  add(viewId, keepMs, picture) {
    const ring = this.#rings.get(viewId) ?? [];
    this.#rings.set(viewId, ring);
    ring.push(picture);
    while (ring[0] && picture.receivedMs - ring[0].receivedMs > keepMs) ring.shift();
  }

  /**
   * What is kept, oldest first, each with its time before the newest.
   * @param {string} viewId
   * @returns {{beforeMs: number, jpeg: ArrayBuffer}[]}
   */
  clip(viewId) {
    const ring = this.#rings.get(viewId) ?? [];
    const newestMs = ring.at(-1)?.receivedMs ?? 0;
    return ring.map(({ receivedMs, jpeg }) => ({ beforeMs: newestMs - receivedMs, jpeg }));
  }

  /** @param {string} viewId */
  forget(viewId) {
    this.#rings.delete(viewId);
  }
}
