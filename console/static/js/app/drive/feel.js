/**
 * How the hand becomes motion: speed, frame, gripper, and the device itself.
 *
 * @import { Spec } from "../../core/types.js"
 * @import { DriveSession } from "./session.js"
 */

import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { framesOf } from "../../core/camera_frame.js";
import { percent } from "../../core/format.js";
import { gripperOf } from "../../core/gripper.js";
import { keyHint } from "../../core/keymap.js";
import { control, rosterOf, UNTOLD } from "../store.js";
import { DevicePicture } from "./device_picture.js";
import { ownKeys, ownMapping } from "./own.js";
import { Pads } from "./pads.js";
import { hidProblem } from "./spacemouse_hid.js";

const SPEED_WORDS = ["Fine", "Normal", "Fast"];

/** @param {{drive: DriveSession, spec: Spec}} props */
export function Feel({ drive, spec }) {
  const [hasPads, setHasPads] = useState(() => matchMedia("(pointer: coarse)").matches);
  return html`<section class="feel" aria-label="Motion">
    ${hasPads && html`<${Pads} hands=${drive.hands} />`}
    <${Speed} drive=${drive} />
    <${FrameSwitch} drive=${drive} spec=${spec} />
    <${Gripper} drive=${drive} spec=${spec} />
    <${Device} drive=${drive} hasPads=${hasPads} onPads=${() => setHasPads(!hasPads)} />
  </section>`;
}

/** @param {{drive: DriveSession}} props */
function Speed({ drive }) {
  const speeds = ownMapping.value?.speeds ?? [];
  const cap = drive.isHeld ? (control.value?.speedCap ?? 1) : 1;
  return html`<div class="row" role="group" aria-label="Speed">
    <span class="row-name">Speed</span>
    ${speeds.map(
      (speed, level) => html`<button key=${level} type="button" class="chip" aria-pressed=${drive.speedLevel.value === level} onClick=${() => (drive.speedLevel.value = level)}>
        ${speeds.length === SPEED_WORDS.length ? SPEED_WORDS[level] : percent(speed)}
      </button>`,
    )}
    <span class="row-note">${cap < 1 && cap > 0 ? `at most ${percent(cap)}: the link is slow` : ""}</span>
  </div>`;
}

/** @param {{drive: DriveSession, spec: Spec}} props */
function FrameSwitch({ drive, spec }) {
  const frames = framesOf(spec.cameras[drive.bigCamera.value]?.name ?? "", rosterOf(drive.robotId)?.orientation ?? UNTOLD);
  const whyNot = frames.find((row) => row.whyNot)?.whyNot ?? "";
  const turns = ownMapping.value?.axes.slice(0, spec.action.length).some((axis) => /roll|pitch|yaw/.test(axis));
  return html`<div class="row" role="group" aria-label="Frame">
    <span class="row-name">Frame</span>
    ${frames.map(
      (row) => html`<button key=${row.frame} type="button" class="chip" aria-pressed=${drive.frame.value === row.frame} disabled=${Boolean(row.whyNot)} title=${row.whyNot} onClick=${() => (drive.frame.value = row.frame)}>${row.words}</button>`,
    )}
    ${turns && html`<button type="button" class="chip" aria-pressed=${drive.isTranslationOnly.value} onClick=${() => (drive.isTranslationOnly.value = !drive.isTranslationOnly.value)}>No rotation</button>`}
    <span class="row-note">${whyNot}</span>
  </div>`;
}

/** @param {{drive: DriveSession, spec: Spec}} props */
function Gripper({ drive, spec }) {
  const channel = spec.action[gripperOf(spec.action)];
  if (!channel) return null;
  const side = drive.gripper.value;
  return html`<div class="row">
    <span class="row-name">Gripper</span>
    <button type="button" class="chip" onClick=${() => drive.act("gripper")}>Other way <kbd>${keyHint(ownKeys.value, "gripper")}</kbd></button>
    <span class="row-note">${side === 0 ? "at rest" : `${channel.name} towards its ${side > 0 ? "upper" : "lower"} end`}</span>
  </div>`;
}

/** @param {{drive: DriveSession, hasPads: boolean, onPads: () => void}} props */
function Device({ drive, hasPads, onPads }) {
  const [problem, setProblem] = useState("");
  const connect = async () => setProblem(await drive.hands.spacemouse.ask());
  return html`<div class="device">
    <${DevicePicture} state=${drive.hand.value} names=${drive.hands.names} />
    <div class="row">
      ${!drive.hands.spacemouse.mouse && html`<button type="button" class="chip" disabled=${Boolean(hidProblem())} title=${hidProblem()} onClick=${connect}>Connect a SpaceMouse</button>`}
      <button type="button" class="chip" aria-pressed=${hasPads} onClick=${onPads}>On-screen pads</button>
    </div>
    ${problem && html`<p class="device-problem" role="alert">${problem}</p>`}
  </div>`;
}
