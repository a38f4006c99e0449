/** The messages between the page and Python's Session, for tsc alone: no browser reads this file. */

export interface Position { update: number; epoch: number; batch: number; phase: Phase; branch: number; first: number; last: number; n_batches: number }
export type Phase = "ready" | "forward" | "loss" | "backward" | "update"
export interface Branch { id: number; parent: number | null; start: number; last: number; label: string; change: string }
export interface Parameter { name: string; value: number | null; gradient: number | null; new: number | null }
export interface Weight extends Parameter { from: number; to: number }
export interface Neuron { name: string; z: number | null; a: number | null; delta: number | null; bias: Parameter | null; note: string }
export interface Layer { number: number; activation: string; left_out: number; neurons: Neuron[]; weights: Weight[] }
export interface NetworkPart {
  row: { kind: "batch" | "row" | "own"; number: number | null; rows: number[] }
  inputs: { name: string; value: number | null; raw: number | null }[]
  picture: { width: number; height: number; values: string } | null
  left_out: number
  layers: Layer[]
  targets: { name: string; value: number | null; share: number | null }[]
  learning_rate: number
}
export interface Point { row: number; x: [number, number]; y: number; test: boolean }
export interface PlanePart { axes: [number, number]; low: [number, number]; high: [number, number]; resolution: number; n_outputs: number; values: string; points: Point[] }
export interface Curve { update: number[]; train: (number | null)[]; test: (number | null)[]; label?: string }
export interface Config {
  hidden: { units: number; activation: string }[]; output: string; loss: string; initializer: string | null; optimizer: string; learning_rate: number
  bias: string; l1: number; l2: number; dropout: number; batch_size: number; test_share: number; scale: string; seed: number
}
export interface Input { name: string; kind: string; mean: number; scale: number; low: number; high: number }
export interface Source { name: string; title: string; rows: number; columns?: string[]; inputs: Input[]; n_inputs: number; target: string; task: "classes" | "number"; classes: string[]; decisions: { text: string; line: number | null; field: number | null }[]; editable?: boolean }
export interface Finding { severity: string; title: string; text: string }
export interface View { parts: string[]; row: number | "batch" | "own" | null; axes: [number, number]; resolution: number; output: number; units: "scaled" | "data"; digits: number }
export interface State {
  source: Source; config: Config; position: Position; branches: Branch[]
  loss: { batch: number | null; train: number | null; test: number | null; metric: { name: string; train: number | null; test: number | null } | null }
  stopped: string; view?: View
  network?: NetworkPart; plane?: PlanePart; maps?: { resolution: number; values: string[][] }; curves?: Curve; other?: Curve | null
  confusion?: { classes: string[]; counts: number[][] } | null
  flow?: { layer: number; gradient: number | null; delta: number | null }[]
}
export interface Catalogue {
  sets: { name: string; title: string; kind: "plane" | "table" | "worked" }[]
  activations: string[]; outputs: { name: string; loss: string }[]; losses: string[]; optimizers: string[]; initializers: string[]; scales: string[]; notations: string[]
  formats: { name: string; title: string; ending: string }[]; style?: string
}
export interface Blank { name: string; part: string; number: number }
export interface Mark { name: string; verdict: string; counts: boolean; words: string }
export interface Reply {
  id?: number; ok: boolean; error?: string; where?: { line: number; column: number | null }; faults?: string[]; state?: State
  html?: string; text?: string; title?: string; tags?: { [name: string]: number }
  rows?: { row: number; value: number; factors?: number[] }[]; sum?: number
  before?: { cost: number; outputs: number[] }; after?: { cost: number; outputs: number[] }
  findings?: Finding[]; verdict?: string; line?: number | null
  blanks?: Blank[]; decimals?: number; hint?: string; marks?: Mark[]; points?: number; of?: number
  name?: string; type?: string; base64?: string; link?: string
  [other: string]: unknown
}
export type Message = { do: string; [argument: string]: unknown }
export interface Site { socket?: string; worker: string; pyodide: string[]; wheels: string[]; renamed?: { [name: string]: string }; answer?: string }
export interface Line { send(text: string): Promise<string>; close(): void }
