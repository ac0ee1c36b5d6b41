/**
 * What the history side of the server answers (console/api): types only, names as on the wire.
 * Times `..._ns` are nanoseconds since the epoch. `episodes` is the query of the Episodes screen that
 * shows what a number was counted from.
 *
 * @typedef {import("../core/types.js").Outcome} Outcome
 *
 * @typedef {object} Episode
 * @property {string} episode_id
 * @property {string} robot_id
 * @property {string} task_id
 * @property {string} instruction
 * @property {string} policy_version
 * @property {string} release_role
 * @property {string} source
 * @property {Outcome} outcome
 * @property {string} outcome_author
 * @property {string} outcome_reason
 * @property {number} progress  0 where nobody said
 * @property {number} started_ns
 * @property {number} ended_ns
 * @property {number} num_steps
 * @property {number} duration_s
 * @property {number} num_interventions
 * @property {number} num_correction_steps
 * @property {number} control_rate_hz
 * @property {boolean} is_flagged
 * @property {boolean} is_assisted
 * @property {number} num_help_requests
 * @property {[string, number, number][]} bands
 * @property {(number | null)[] | null} values
 * @property {string} critic_version
 *
 * @typedef {{total: number, num_unlabelled: number, limit: number, offset: number, episodes: Episode[], lake: string,
 *            facets: {tasks: string[], versions: string[], robots: string[], operators: string[]}}} EpisodeList
 * @typedef {{author: string, outcome: Outcome, progress: number, reason: string, time_ns: number, is_effective: boolean}} Label
 * @typedef {{author: string, kind: string, step_index: number, note: string, time_ns: number}} Mark
 * @typedef {{intervention_id: string, operator_id: string, started_ns: number, ended_ns: number, first_step_index: number,
 *            last_step_index: number, num_correction_steps: number, mean_command_delay_ms: number | null}} Intervention
 * @typedef {{request_id: string, kind: string, trigger: string, severity: string, reason: string, question: string,
 *            time_ns: number, step_index: number, result: string, answer: string, author: string}} HelpRecord
 * @typedef {{name: string, unit: string}} Channel
 * @typedef {{spec_id: string, name: string, control_rate_hz: number, state: Channel[], tactile: Channel[],
 *            action: Channel[], cameras: {name: string, height: number, width: number}[]}} Spec
 * @typedef {{num_sampled: number | null, mean_advantage: number | null, share_positive: number | null,
 *            critic_version: string, versions: string[], unavailable?: Record<string, string>,
 *            sampled: {version: string, num_sampled: number, num_corrections_sampled: number, first_sampled_ns: number}[]}} Learned
 * @typedef {{episode: Episode, labels: Label[], marks: Mark[], interventions: Intervention[], help: HelpRecord[],
 *            spec: Spec | null, channels: string[], learned: Learned,
 *            neighbours: {previous: string | null, next: string | null}}} EpisodeDetail
 * @typedef {{steps: number[], control_rate_hz: number}} EpisodeEnding
 * @typedef {{first: number, last: number, num_steps: number, step: number[],
 *            channels: Record<string, {min: (number | null)[], max: (number | null)[]}>,
 *            modes: [string, number, number][]}} EpisodeSeries
 *
 * @typedef {{estimate: number | null, low: number | null, high: number | null, n: number, trend: number | null, episodes: string}} Rate
 * @typedef {{value: number | null, trend: number | null, n?: number, n_hours?: number, human_minutes?: number}} Amount
 * @typedef {{p50: number, p95: number, n: number}} Delay
 * @typedef {{success: Rate, autonomy: Rate, throughput_per_robot_hour: Amount, interventions_per_hour: Amount,
 *            return_on_human_effort: Amount, correction_to_fleet_s: Delay | null}} Headline
 * @typedef {{version: string, task: string, role: string, assisted: boolean, n: number, successes: number,
 *            estimate: number, low: number, high: number, throughput_per_robot_hour: number | null,
 *            robot_hours: number, episodes: string}} SuccessRow
 * @typedef {{version: string, share: number, per_hour: number | null, num: number, requested: number,
 *            operator_initiated: number, robot_hours: number, episodes: string}} InterventionRow
 * @typedef {{critic_version: string, bins: {predicted: number, realised: number, n: number}[], error: number,
 *            bias: number, n: number}} Calibration
 * @typedef {{outcome: string, t: number[], median: number[], low: number[], high: number[], n: number}} ValueCurve
 * @typedef {{critic_version: string, edges: number[], counts: Record<string, number[]>, n: Record<string, number>,
 *            share_positive: Record<string, number | null>, thresholds: Record<string, number | null>,
 *            threshold: number | null, episodes: string}} Advantage
 * @typedef {{version: string, action_gap: number | null, noise_gap: number | null, indicator_gain: number | null, time_ns: number}} Conditioning
 * @typedef {{edges_ns: number[], by_source: Record<string, number[]>, steps_per_s: (number | null)[], episodes: Record<string, string>}} Mix
 * @typedef {{topics: {topic: string, kafka_lag_records: number | null, commit_age_s: number | null}[],
 *            learner_wait_share: Record<string, number> | null}} Lag
 * @typedef {{steps_per_s: number | null, num_steps: number | null, loss: Record<string, number>, wait_s: Record<string, number>,
 *            num_candidates: number | null, positive_ratio: {task: string, source: string, value: number}[],
 *            calibration_error: {task: string, value: number}[],
 *            newest: {version: string, metrics: Record<string, number>} | null}} Learner
 * @typedef {{robot_id: string, version: string, role: string, age_s: number | null, versions_behind: number | null,
 *            last_swap_ns: number, last_seen_ns?: number,
 *            wanted?: {version: string, role: string} | null}} RobotVersion
 * @typedef {{robots: string[], tasks: string[], cells: {robot_id: string, task: string, n: number, successes: number,
 *            estimate: number, low: number, high: number, episodes: string}[]}} Grid
 * @typedef {{task: string, version: string, base_version: string, kind: string, difference: number, low: number,
 *            high: number, n: number, base_n: number, episodes: string}} Regression
 * @typedef {object} HelpQuality
 * @property {number} num_requests
 * @property {number} false_alarms
 * @property {number} missed_failures
 * @property {number | null} lead_time_s_p50
 * @property {number | null} time_to_claim_s_p50
 * @property {number | null} time_to_resolve_s_p50
 * @property {number | null} self_resolved_share
 * @property {{trigger: string, n: number, false_alarms: number}[]} by_trigger
 * @property {string} episodes
 * @property {string} false_alarm_episodes
 * @property {string} missed_episodes
 * @typedef {object} Learning
 * @property {number} now_ns
 * @property {number} as_of_ns
 * @property {string} lake  why the lake cannot be read now; empty while it can
 * @property {{since_ns: number, until_ns: number}} window
 * @property {string[]} tasks
 * @property {{version: string, role: string, published_ns: number}[]} versions  oldest first
 * @property {Headline | null} headline
 * @property {SuccessRow[] | null} success
 * @property {InterventionRow[] | null} interventions
 * @property {{t_ns: number[], ratio: (number | null)[], successes: number[], human_minutes: number[]} | null} human_effort
 * @property {import("./widgets/waterfall.js").Stage[] | null} waterfall
 * @property {Calibration[] | null} calibration
 * @property {ValueCurve[] | null} value_over_time
 * @property {number | null} value_gap_at_half
 * @property {Advantage | null} advantage
 * @property {Conditioning[] | null} conditioning
 * @property {Mix | null} mix
 * @property {{p10: number, p50: number, p90: number, n: number} | null} age_s
 * @property {Lag | null} lag
 * @property {Learner | null} learner
 * @property {RobotVersion[] | null} staleness
 * @property {Grid | null} grid
 * @property {Regression[] | null} regression
 * @property {HelpQuality | null} help
 * @property {{failures: Episode[], corrections: Episode[]} | null} gallery
 * @property {Record<string, string>} unavailable  why a panel is empty
 *
 * @typedef {{n: number, k: number, low: number, high: number}} Tally
 * @typedef {object} Verdict
 * @property {string} version
 * @property {string} champion
 * @property {number} at_ns
 * @property {"better" | "not_worse" | "not_enough_yet" | "worse"} word
 * @property {string} reason
 * @property {string} source  evaluation or work
 * @property {number} num_pairs
 * @property {number} min_pairs
 * @property {number} max_pairs
 * @property {number | null} num_more_needed
 * @property {{task: string, candidate: Tally, champion: Tally, difference: number, low: number, high: number}[]} tasks
 * @property {string[]} waits_for
 * @typedef {object} Rollout
 * @property {string} version
 * @property {string} champion
 * @property {"running" | "paused"} state
 * @property {number[]} stages  robots per stage; the last is the whole fleet
 * @property {number} stage
 * @property {string[]} robots
 * @property {string[]} next_robots
 * @property {string} author
 * @property {string} reason
 * @property {number} started_ns
 * @property {number} stage_since_ns
 * @property {number} paused_ns
 * @property {{elapsed_s: number, min_s: number, num_robot_minutes: number | null, min_robot_minutes: number}} soak
 * @typedef {{version: string, status: string, reason: string, created_ns: number, tags: Record<string, string>,
 *            metrics: Record<string, number>}} Candidate
 * @typedef {{time_ns: number, event: string, policy_version: string, previous_version: string, author: string,
 *            reason: string, evidence: Record<string, unknown>}} LedgerLine
 * @typedef {object} Weights
 * @property {number} now_ns
 * @property {{champion: string | null, canary: string | null, previous: string | null, shadow: string | null}} aliases
 * @property {{author: string, reason: string, since_ns: number, expires_ns: number} | null} frozen
 * @property {Candidate[]} candidates
 * @property {Verdict | null} verdict
 * @property {{version: string, champion: string, at_ns: number, num_steps: number, num_robots: number, ratio: number | null,
 *            action_gap: number, noise_gap: number,
 *            robots: Record<string, {num_steps: number, ratio: number | null}>} | null} shadow_report
 * @property {Rollout | null} rollout
 * @property {RobotVersion[]} robots
 * @property {LedgerLine[]} ledger
 *
 * @typedef {{name: string, pid: number, is_running: boolean, restarts: number, state: string, is_well: boolean}} Service
 * @typedef {{robot_id: string, task_id: string, version: string, role: string, last_seen_ns: number, num_episodes: number,
 *            num_successes: number, num_failures: number, num_interventions: number, num_correction_steps: number,
 *            robot_hours: number, age_s: number | null, versions_behind: number | null, last_swap_ns: number,
 *            episodes: string}} FleetRobot
 * @typedef {{config_hash: string, is_odd: boolean, words: string, like: string}} Standing how a robot's settings compare with its kind's
 * @typedef {{section: string, field: string, value: unknown, other: unknown}} Difference
 * @typedef {Standing & {process: string, settings: Record<string, Record<string, unknown>>, from_most: Difference[],
 *            from_before: Difference[] | null}} RobotConfiguration
 * @typedef {{process: string, first_line: number, lines: string[]}} RobotLog
 * @typedef {{services: Service[], robots: FleetRobot[], configs: Record<string, Standing>, health: {is_healthy: boolean, words: string}, as_of_ns: number, lake: string}} Fleet
 * @typedef {FleetRobot & {bands: [string, number, number, string][],
 *            events: {time_ns: number, kind: string, words: string, episode_id: string}[],
 *            configuration: RobotConfiguration | null, as_of_ns: number, lake: string}} RobotDetail
 */

export {};
