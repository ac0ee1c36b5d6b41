/**
 * Types that several modules share: what the gateway says, and what the page and its two workers say to
 * each other. Types only; nothing here runs.
 *
 * Times: `...Ms` are milliseconds since the Unix epoch by the browser's monotonic clock
 * (`performance.timeOrigin + performance.now()`, one clock for page and workers); `...Ns` are a robot's
 * own monotonic clock, as a plain number (see clock.js on its exactness).
 *
 * @typedef {"autonomous" | "paused" | "correcting" | "lost" | "stopped"} ControlMode
 * @typedef {"success" | "failure" | "timed_out" | "unlabelled"} Outcome
 * @typedef {"viewer" | "operator" | "engineer" | "admin"} Role
 *
 * --- what the gateway says (corrections/protocol.py, operator_messages.py): names as on the wire ---
 *
 * @typedef {{name: string, unit: string, low: number | null, high: number | null}} Channel
 * @typedef {{name: string, width: number, height: number}} Camera
 * @typedef {{name: string, control_rate_hz: number, state: Channel[], tactile: Channel[], action: Channel[],
 *            cameras: Camera[]}} Spec
 * @typedef {{robot_id: string, spec: string, is_simulated: boolean, lease_epoch: number, process: string, config_hash: string,
 *            camera_yaws_rad: Record<string, number>, is_tool_fixed: boolean}} RobotInfo
 * @typedef {object} RobotState
 * @property {string} robot_id
 * @property {ControlMode} mode
 * @property {string} episode_id
 * @property {number} step_index
 * @property {string} task_id
 * @property {string} instruction
 * @property {string} policy_version
 * @property {number[]} state
 * @property {string[]} limit_hits
 * @property {{request_id: string, kind: string, trigger: string, severity: string, reason: string, question: string, options: string[], deadline_s: number, fallback: string}} help its open request; request_id is empty where it needs nobody
 * @property {string} weights_refusal weights that it should run and will not, and why; empty where it runs what it should
 * @property {string} unlabelled_episode_id its latest ended episode that only a person can judge; empty where there is none
 * @property {number} num_records_waiting on its disk, not with the broker yet
 * @property {number} spool_bytes of all robots of its process
 * @property {Record<string, number>} temperatures_c by part; empty where it measures none
 * @property {number} lease_epoch
 * @property {number} command_delay_ms -1 where no command was applied
 * @property {number} sent_ns
 * @typedef {object} LeaseMessage
 * @property {"lease"} type
 * @property {string} robot_id
 * @property {number} epoch
 * @property {boolean} is_held
 * @property {string} operator_id
 * @property {string} end_reason handed_back, silent, idle, gateway_restarted
 * @property {boolean} is_yours
 * @typedef {{type: "asked", robot_id: string, operator_id: string, reason: string, answer_within_s: number}} AskedMessage
 * @typedef {{type: "refused", request: string, reason: string, robot_id: string}} RefusedMessage
 * @typedef {{type: "receipt", episode_id: string, outcome: Outcome}} ReceiptMessage
 * @typedef {{type: "marked", episode_id: string, step_index: number, kind: string}} MarkedMessage
 * @typedef {{type: "gateway", is_up: boolean, reason: string}} GatewayChanged said by the console
 * @typedef {{type: "welcome", name: string, role: Role, server_time_ms: number}} WelcomeMessage
 * @typedef {{type: "roster", robots: RobotInfo[]}} RosterMessage
 * @typedef {object} HelpRequest
 * @property {string} request_id
 * @property {string} robot_id
 * @property {string} episode_id
 * @property {string} task_id
 * @property {"choose" | "point" | "confirm_outcome" | "reset_scene" | "take_over"} kind
 * @property {string} trigger
 * @property {"info" | "warning" | "error"} severity
 * @property {string} reason
 * @property {string} question
 * @property {string[]} options
 * @property {number} waiting_s
 * @property {number} deadline_s 0 where there is none
 * @property {number} left_s
 * @property {string} fallback
 * @property {string} claimed_by
 * @property {number} claim_left_s
 * @typedef {{type: "help", requests: HelpRequest[]}} HelpMessage
 * @typedef {{robot_id: string, episode_id: string, step_index: number, value: number, critic_version: string}} LiveValue
 * @typedef {{type: "reports", states: RobotState[]}} ReportsMessage
 * @typedef {{type: "values", values: LiveValue[]}} ValuesMessage
 * @typedef {{type: "pong", id: number}} PongMessage
 * @typedef {WelcomeMessage | RosterMessage | HelpMessage | LeaseMessage | AskedMessage | RefusedMessage |
 *           ReceiptMessage | MarkedMessage | GatewayChanged} PromptMessage passed to the page at once and unchanged
 * @typedef {PromptMessage | ReportsMessage | ValuesMessage | PongMessage} GatewayMessage
 *
 * --- page <-> control worker (workers/control.js) ---
 *
 * @typedef {"hidden" | "blurred" | "frozen" | "unplugged" | "left"} StillCause
 *   why nothing may move, whatever the hands say; a set: the robot moves again only when all are over and
 *   the dead-man was seen released once
 * @typedef {"free" | "asking" | "held" | "lost" | "denied"} LeasePhase
 *   denied: the last request was refused; lost: it ended, and not by our hand
 * @typedef {object} ControlState
 * @property {LeasePhase} phase
 * @property {string} robotId of the lease, or of the last request; may be empty
 * @property {number} epoch
 * @property {string} reason why denied or lost, in words
 * @property {number} heldSinceMs 0 while not held
 * @property {boolean} isArmed held, dead-man held, nothing forbids motion: what the command says, not the robot
 * @property {StillCause[]} stillCauses
 * @property {number} delayMs command to picture; -1 while unknown
 * @property {number} roundTripMs browser to gateway and back; -1 while unknown
 * @property {"calm" | "slow" | "very_slow" | "too_slow" | "unknown"} tier
 * @property {number} speedCap share of full speed that the tier leaves
 * @property {number} correctingMs how long this lease has moved the robot, by the robot's own reports
 *
 * @typedef {{type: "start", url: string, rateHz: number, renewMs: number, wishMs: number,
 *            clocks: MessagePort | null}} StartControl `url` without ticket; `clocks` goes to the pictures worker
 * @typedef {{type: "ticket", ticket: string}} GiveTicket
 * @typedef {{type: "ticket_failed", reason: string, isFinal: boolean}} TicketFailed isFinal: sign in again
 * @typedef {{type: "acquire", robotId: string, ask?: boolean, force?: boolean, reason?: string}} AskLease
 * @typedef {{type: "wish", action: number[], isDeadmanHeld: boolean}} Wish
 * @typedef {{type: "hand_back"}} HandBack zero, then release: the policy goes on
 * @typedef {{type: "still", cause: StillCause}} BeStill zero at once; the lease is not renewed while it lasts
 * @typedef {{type: "alive", cause: StillCause}} BeAlive the cause is over
 * @typedef {{type: "answer", robotId: string, give: boolean}} AnswerColleague
 * @typedef {{type: "picture", robotId: string, ageMs: number}} PictureAge of the big picture, for the delay tier
 * @typedef {{type: "send", message: {type: string, [field: string]: unknown}}} SendAsIs any other operator message:
 *   watch, stop, clear_stop, instruct, label, mark, claim, unclaim, answer_help
 * @typedef {StartControl | GiveTicket | TicketFailed | AskLease | Wish | HandBack | BeStill | BeAlive |
 *           AnswerColleague | PictureAge | SendAsIs} ToControl
 *
 * @typedef {{type: "ticket_wanted"}} TicketWanted answer with `ticket` or `ticket_failed`
 * @typedef {{type: "connection", state: "connecting" | "open" | "lost" | "refused", reason: string,
 *            retryInMs: number}} ConnectionChanged refused: it does not try again by itself
 * @typedef {{type: "message", message: PromptMessage}} Prompt
 * @typedef {{type: "news", states: RobotState[], values: LiveValue[]}} News newest per robot, 20 times a second at most
 * @typedef {{type: "control", control: ControlState}} ControlChanged on change, and 4 times a second while held
 * @typedef {{type: "unsent", message: {type: string, [field: string]: unknown}}} Unsent there was no connection
 * @typedef {TicketWanted | ConnectionChanged | Prompt | News | ControlChanged | Unsent} FromControl
 *
 * --- page <-> pictures worker (workers/pictures.js); pages use widgets/picture.js instead ---
 *
 * @typedef {{viewId: string, robotId: string, camera: number, fps: number, width: number, keepMs?: number}} PictureView
 *   `camera` is the place in the spec's cameras; `keepMs`: the worker keeps the newest pictures for `clip`
 * @typedef {{type: "start", url: string, clocks: MessagePort}} StartPictures
 * @typedef {{type: "show", view: PictureView, canvas: OffscreenCanvas | null}} ShowView a canvas comes once per viewId
 * @typedef {{type: "size", viewId: string, width: number, height: number}} SizeView device pixels
 * @typedef {{type: "hide", viewId: string}} HideView
 * @typedef {{type: "visible", isVisible: boolean}} PageVisible hidden pages get no pictures
 * @typedef {{type: "clip", viewId: string}} WantClip answered with what is kept of the view
 * @typedef {StartPictures | GiveTicket | TicketFailed | ShowView | SizeView | HideView | PageVisible | WantClip} ToPictures
 *
 * @typedef {object} ViewHealth
 * @property {string} viewId
 * @property {string} robotId
 * @property {number} ageMs when drawn, plus the time since: what the eye sees; -1 before the first
 * @property {number} drawnAgeMs age at the moment of drawing; -1 where the robot's clock is unknown
 * @property {number} fps drawn in the last second
 * @property {number} numDrawn
 * @property {boolean} isFrozen older than 1 s
 * @typedef {{type: "ages", views: ViewHealth[]}} Ages 4 times a second
 * @typedef {{type: "clip", viewId: string, pictures: {beforeMs: number, jpeg: ArrayBuffer}[]}} ClipPictures oldest
 *   first; `beforeMs` is before the newest
 * @typedef {TicketWanted | ConnectionChanged | Ages | ClipPictures} FromPictures
 *
 * @typedef {{robotId: string, sentNs: number, receivedMs: number}} RobotClock control worker -> pictures worker
 *
 * --- input ---
 *
 * @typedef {"deadman" | "take" | "hand_back" | "stop" | "success" | "failure" | "slower" | "faster" | "gripper" |
 *           "leave"} Button what it means, wherever it sits on a device (corrections/device.py)
 * @typedef {{axes: number[], buttons: Set<Button>, ageMs: number}} DeviceState six axes in [-1, 1]
 * @typedef {{dead_zone: number, curve: number, speeds: number[], axes: string[]}} Mapping from GET /api/session
 */

export {};
