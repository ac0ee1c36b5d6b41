// How wide a chart may be: the width of its box, followed as the window changes.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

/**
 * @param {number} initial  width in CSS pixels before the first measurement
 * @returns {{ref: import("preact/hooks").MutableRef<HTMLDivElement | null>, width: number}}
 */
export function useWidth(initial) {
  const ref = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [width, setWidth] = useState(initial);
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    const measure = () => {
      const style = getComputedStyle(box);
      const inside = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      setWidth(Math.max(120, Math.floor(inside)));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
