/**
 * In which frame a push of the hand is meant: the robot's base, the picture, or the tool.
 *
 * Robots are told velocities in their base frame. "Camera" turns the horizontal axes by the camera's yaw,
 * so that pushing right moves right in the picture. "Tool" is the base's frame for a tool that never turns; how one that
 * turns is turned robots do not report. What a robot does not tell cannot be chosen, and the screen says why:
 * guessing would move it the wrong way.
 *
 * @typedef {"camera" | "tool" | "base"} Frame
 * @typedef {{yawsRad: Record<string, number>, isToolFixed: boolean}} Orientation what the robot says of itself
 */

/**
 * Which frames a robot allows, each with the reason why not (empty if it does).
 * @param {string} camera name of the big picture's
 * @param {Orientation} orientation
 * @returns {{frame: Frame, words: string, whyNot: string}[]}
 */
export function framesOf(camera, orientation) {
  const hasYaw = yawOf(camera, orientation) !== null;
  return [
    { frame: "camera", words: "Camera", whyNot: hasYaw ? "" : "This robot does not say how its camera is turned." },
    { frame: "tool", words: "Tool", whyNot: orientation.isToolFixed ? "" : "This robot does not report how its tool is turned." },
    { frame: "base", words: "Base", whyNot: "" },
  ];
}

/**
 * The camera's yaw against the base, counter-clockwise from above; null if it is not told.
 * @param {string} camera
 * @param {Orientation} orientation
 */
export function yawOf(camera, { yawsRad }) {
  const yaw = Object.hasOwn(yawsRad, camera) ? yawsRad[camera] : null;
  return typeof yaw === "number" && Number.isFinite(yaw) ? yaw : null;
}

/**
 * Axes of the hand, turned into the robot's base frame.
 * @param {number[]} axes six; what comes out may be up to sqrt(2) long, the mapping clips it
 * @param {Frame} frame
 * @param {number | null} yawRad
 */
export function inBaseFrame(axes, frame, yawRad) {
  if (frame !== "camera" || yawRad === null) return axes;
  const [x = 0, y = 0, z = 0, roll = 0, pitch = 0, yaw = 0] = axes;
  const [sin, cos] = [Math.sin(yawRad), Math.cos(yawRad)];
  const turned = (/** @type {number} */ a, /** @type {number} */ b) => [cos * a - sin * b, sin * a + cos * b];
  return [...turned(x, y), z, ...turned(roll, pitch), yaw];
}

/**
 * Rotation left out, for a hand that should only push.
 * @param {number[]} axes
 */
export function translationOnly(axes) {
  return axes.map((value, i) => (i < 3 ? value : 0));
}
