// The Trunkline protocol, version 1.0. Generated from `trunkline_protocol` by `make schema`;
// do not edit. docs/protocol.md is the reference.

/** Params of `auth/cancelLogin`. Cancelling what has ended succeeds. */
export interface AuthCancelLoginParams {
  loginId: string;
}

/** Params of `auth/changed`. */
export interface AuthChangedParams {
  providerId: string;
  /** Which key; several of the provider's when absent. */
  keyId?: string;
  /** `missing` when it was removed. */
  state: "ok" | "unverified" | "rejected" | "expired" | "missing";
}

/** Params of `auth/list`. */
export interface AuthListParams {
  providerId?: string | null;
}

/** Result of `auth/list`: every key that could be used, from every source, in order of preference. */
export interface AuthListResult {
  keys: KeyInfo[];
}

/** Params of `auth/loginCompleted`. */
export interface AuthLoginCompletedParams {
  loginId: string;
  ok: boolean;
  key?: KeyInfo;
  error?: WireError;
}

/** Params of `auth/login`. */
export interface AuthLoginParams {
  providerId: string;
  /** One of the provider's `auth.methods`; the first one when absent. */
  method?: "browser" | "device" | null;
  /** The name that the key is stored under. */
  keyId?: string;
}

/** Result of `auth/login`: the sign-in has begun; `auth/loginCompleted` tells how it ended. */
export interface AuthLoginResult {
  loginId: string;
  /** The page to open, unless the editor was asked to open it. */
  url?: string;
  /** What to enter on that page. */
  userCode?: string;
  /** Whether the page shows a code that is to be given to `auth/submitCode`. */
  needsCode: boolean;
  /** ISO 8601 in UTC. */
  expiresAt: string;
}

/** Params of `auth/remove`. Removing what is not there succeeds. */
export interface AuthRemoveParams {
  providerId: string;
  /** Which key; all of the provider's stored keys when absent. */
  keyId?: string | null;
}

/** Params of `auth/select`. */
export interface AuthSelectParams {
  providerId: string;
  keyId: string;
}

/** Result of `auth/select`. */
export interface AuthSelectResult {
  key: KeyInfo;
}

/** Params of `auth/set`. */
export interface AuthSetParams {
  providerId: string;
  keyId?: string;
  label?: string | null;
  secret: string;
  makeActive?: boolean;
  /** Ask the provider whether the key is good. It is stored in any case; see `verification`. */
  verify?: boolean;
}

/** Result of `auth/set`. */
export interface AuthSetResult {
  key: KeyInfo;
  /** What the provider says of it, when `verify` was asked for. */
  verification?: AuthVerifyResult;
}

/** Params of `auth/submitCode`. */
export interface AuthSubmitCodeParams {
  loginId: string;
  code: string;
}

/** Params of `auth/verify`. */
export interface AuthVerifyParams {
  providerId: string;
  /** Which key; the one in use when absent. */
  keyId?: string | null;
}

/** Result of `auth/verify`. */
export interface AuthVerifyResult {
  state: "ok" | "unverified" | "rejected" | "expired" | "missing";
  account?: string;
  limits?: KeyLimits;
  /** Why the state is not `ok`. */
  error?: WireError;
}

/**
 * Prompt caching. Where a provider wants to be told what to cache, the beginning of the conversation and its
 * last turns are marked; without this object nothing is.
 */
export interface CacheOptions {
  /** Requests with the same key are sent where the provider has the prompt cached. */
  key?: string | null;
  /** How long the provider keeps it, where that can be chosen. */
  ttl?: "5m" | "1h" | null;
}

/** How to answer. What is absent is left to the provider. */
export interface ChatOptions {
  maxOutputTokens?: number | null;
  temperature?: number | null;
  topP?: number | null;
  topK?: number | null;
  stop?: string[] | null;
  seed?: number | null;
  reasoning?: ReasoningOptions | null;
  parallelToolCalls?: boolean | null;
  cache?: CacheOptions | null;
  timeouts?: RequestTimeouts | null;
  /**
   * Passed on untouched. Gateways that speak OpenRouter's format get it as the body's `provider` object
   * (routing); for the others its members become members of the body.
   */
  provider?: Record<string, unknown> | null;
}

/** Params of `chat/stream`. */
export interface ChatStreamParams {
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /**
   * Models to ask instead, in this order, when the provider cannot be reached or used before the answer has
   * begun.
   */
  fallbacks?: string[];
  /** Use this key instead of the active one; see `auth/list`. Fallbacks at other providers use theirs. */
  keyId?: string | null;
  messages: Message[];
  tools?: Tool[];
  toolChoice?: "auto" | "none" | "required" | NamedToolChoice | null;
  /** JSON Schema, of type `object`, that the text of the answer must follow as JSON. */
  outputSchema?: Record<string, unknown> | null;
  options?: ChatOptions;
  /** Where to send the events as `$/progress`; without it the answer carries the whole message. */
  partialResultToken?: string | number | null;
  /** Where to send the standard begin, report and end of LSP's work-done progress. */
  workDoneToken?: string | number | null;
}

/** Result of `chat/stream`. */
export interface ChatStreamResult {
  /** The answer; null when it was streamed to a `partialResultToken`, as LSP asks. */
  message: Message | null;
  finishReason: "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "cancelled" | "error" | "other";
  /** The provider's own word for it. */
  rawFinishReason?: string;
  usage?: Usage;
  cost?: Cost;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  notices?: Notice[];
  providerId: string;
  responseId?: string;
  /** What failed before the answer came. */
  attempts?: FailedAttempt[];
  timing: Timing;
}

/** Where an answer says that it has something from. Absent is unknown. */
export interface Citation {
  url?: string | null;
  title?: string | null;
  /** What stands at the source. */
  citedText?: string | null;
  /** A file or document of the request, as the provider names it. */
  fileId?: string | null;
  /** Where the supported passage begins in the text that the citation belongs to, in characters. */
  start?: number | null;
  /** Where it ends, not included. */
  end?: number | null;
  /** The provider's own form of it, whole. */
  raw: Record<string, unknown>;
}

/** The text that came last has a source. */
export interface CitationAdded {
  type: "citation.added";
  citation: Citation;
}

/** The client's side. A client that announces nothing still gets every request and response. */
export interface ClientTrunkline {
  /** Protocol versions it speaks, preferred first. */
  versions: string[];
  /** Whether it wants notifications such as `provider/changed`. */
  events?: boolean;
  /** It answers `tool/call`; absent: it is never asked to run a tool. */
  toolCalls?: Empty | null;
  /** It answers `permission/request`; absent: its user is never asked. */
  permissions?: Empty | null;
  /** Notifications it does not want after all, by their exact names. */
  optOut?: string[];
}

/** The beginning of the conversation, replaced by a summary for the model. People still see all of it. */
export interface Compaction {
  summary: string;
  /** What came before this turn is summed up; all of it when absent. */
  firstKeptTurnId?: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  usage?: Usage;
  cost?: Cost;
}

/** The conversation had become too long for the model and was shortened for it. */
export interface ContextCompacted {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "context.compacted";
  compaction: Compaction;
}

/** What one request cost. */
export interface Cost {
  amount: number | string;
  currency: string;
  /** Whether the provider said so or it was computed from list prices. */
  source: "provider" | "computed";
  /** Whether it may differ from the bill. */
  estimated: boolean;
}

/** What a client has already. */
export interface Cursor {
  epoch: string;
  seq: number;
  /** Refuse with 1501 or 1502 instead of sending a snapshot. */
  strict?: boolean;
}

/** How events are sent. */
export interface DeliveryOptions {
  /** Deltas may wait that long for more of their kind, so that fewer messages are sent. */
  maxLatencyMs?: number;
}

/** Params or a result without fields. */
export interface Empty {
}

/** `error.data` of every error Trunkline makes; the same object stands in `failures[]`. */
export interface ErrorData {
  /** Name of the code, for people and for `switch`. */
  kind: string;
  /** Whether the same request may succeed later, unchanged. */
  retryable: boolean;
  /** How long to wait before that, in milliseconds, when somebody told. */
  retryAfterMs?: number;
  providerId?: string;
  modelId?: string;
  keyId?: string;
  sessionId?: string;
  turnId?: string;
  httpStatus?: number;
  /** The provider's own error code or type, as it came. */
  upstreamCode?: string;
  upstreamRequestId?: string;
  /** More about the cause: the provider's message, or file and line. */
  detail?: string;
  /** What the user can do. */
  hint?: string;
  /** Names that exist and resemble the unknown one, closest first. */
  suggestions?: string[];
  /** Protocol versions the server speaks, for `unsupportedVersion`. */
  supportedVersions?: string[];
  /** Where to look in the log, for `internalError`. */
  correlationId?: string;
  /** How many tokens the model takes, for `contextTooLong`, when the provider told. */
  limit?: number;
  /** How many tokens the request was, likewise; with the room for the answer, if that is counted in. */
  actual?: number;
  /**
   * What took too long, for `upstreamTimeout`: to connect, until the first byte of the answer, silence in the
   * middle of it, signs of life without any progress, or the whole request.
   */
  phase?: "connect" | "firstByte" | "idle" | "progress" | "total";
  /** What failed before this, when a request was tried more than once. */
  attempts?: FailedAttempt[];
  /** The assistant message as far as it came, when a stream broke. */
  partial?: Record<string, unknown>;
  [more: string]: unknown;
}

/** A try to get an answer that came to nothing. */
export interface FailedAttempt {
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  error: WireError;
}

/** Another model of `fallbacks` is asked, because the one before could not answer. */
export interface FallbackStarted {
  type: "fallback.started";
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  previousModel: string;
  /** Why the model before was given up. */
  error: WireError;
}

/** What the server can do beyond answering its methods. */
export interface Features {
  /** It asks clients that announce it to run their tools. */
  toolCalls?: Empty;
  /** It asks clients that announce it for permissions. */
  permissions?: Empty;
}

/** One message of a session's conversation, whole. */
export interface Item {
  itemId: string;
  turnId: string;
  message: Message;
  /** The model that answered, of an assistant's item. */
  model?: string;
  finishReason?: "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "cancelled" | "error" | "other";
  /** The provider's own word for it. */
  rawFinishReason?: string;
  usage?: Usage;
  cost?: Cost;
  notices?: Notice[];
  /** The provider's id of the answer. */
  responseId?: string;
  /** RFC 3339, UTC. */
  createdAt: string;
}

/** A message, whole; overrides its deltas. */
export interface ItemCompleted {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "item.completed";
  item: Item;
}

/** What an item is going to be. */
export interface ItemStart {
  role: "user" | "assistant" | "tool";
  /** The model that was asked, of an assistant's item. */
  model?: string;
}

/** A message begins; deltas with its `itemId` follow. */
export interface ItemStarted {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "item.started";
  item: ItemStart;
}

/** A key without its secret. */
export interface KeyInfo {
  providerId: string;
  keyId: string;
  label?: string;
  kind: "apiKey" | "oauth";
  source: "config" | "command" | "store" | "keychain" | "env";
  /** The variable, when the source is `env`. */
  envVar?: string;
  /** Scheme and host the stored key is for; it is sent nowhere else. */
  origin?: string;
  /** Tells two keys apart without telling anything about them; empty for a key that is missing. */
  fingerprint: string;
  /** The last four characters, when the key is long enough to spare them. */
  last4?: string;
  /** Whether requests to this provider use it. */
  active: boolean;
  state: "ok" | "unverified" | "rejected" | "expired" | "missing";
  /** Why it is not the one that is used, as a sentence. */
  unusedReason?: string;
  /** Whose it is, where the provider told. */
  account?: string;
  /** ISO 8601 in UTC. */
  expiresAt?: string;
}

/** What the provider says the key may still spend. Absent is unknown. */
export interface KeyLimits {
  currency: string;
  limit?: number;
  remaining?: number;
  used?: number;
}

/** Bounds the server sets. */
export interface Limits {
  /** Size of one message body. */
  maxMessageBytes: number;
  /** Requests of one connection that may be unanswered at the same time. */
  maxInFlight: number;
  /** Events that one answer to `session/events` holds at most. */
  replayEvents: number;
  /** The same in bytes. */
  replayBytes: number;
}

/** An image or a sound that the model made, whole. */
export interface MediaCompleted {
  type: "media.completed";
  media: MediaPart;
}

/** An image, a sound or a file, inline or by address. Also in answers of models that make images. */
export interface MediaPart {
  type: "image" | "audio" | "file";
  /** For example `image/png`, `audio/wav`, `application/pdf`. */
  mimeType: string;
  /** The bytes in base64. */
  data?: string | null;
  /** An address the provider fetches itself. */
  url?: string | null;
  /** A file name, for the model to refer to. */
  name?: string | null;
  providerData?: ProviderData | null;
}

/** One message of a conversation. On input, `content` may be a bare string. */
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string | (TextPart | MediaPart | ReasoningPart | ToolCallPart | ToolResultPart | OpaquePart)[];
}

/**
 * The whole answer, authoritative over the deltas: append it to `messages` for the next turn. Also sent for a
 * stream that was cancelled or broke, with what had come until then.
 */
export interface MessageCompleted {
  type: "message.completed";
  message: Message;
  finishReason: "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "cancelled" | "error" | "other";
}

/** The provider has begun to answer. */
export interface MessageStarted {
  type: "message.started";
  providerId: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  responseId?: string;
}

/** What a model takes and does. Absent is unknown. */
export interface ModelCapabilities {
  tools: boolean;
  parallelTools?: boolean;
  reasoning: boolean;
  /** Efforts that `options.reasoning.effort` may name. */
  reasoningEfforts?: string[];
  defaultReasoningEffort?: string;
  /** What `options.reasoning.budgetTokens` may be, where the model takes a budget. */
  reasoningBudget?: TokenRange;
  /** Whether reasoning can be switched off. */
  reasoningOptional?: boolean;
  /** Whether it takes anything besides text. */
  attachments: boolean;
  temperature: boolean;
  structuredOutput: boolean;
  /** Whether the provider caches prompts. */
  caching?: boolean;
}

/** Params of `model/changed`. */
export interface ModelChangedParams {
  /** `models.dev` stands for every provider of the catalogue. */
  providerIds: string[];
  generation: number;
}

/** Params of `model/countTokens`: a conversation or a text, not both. */
export interface ModelCountTokensParams {
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  messages?: Message[] | null;
  tools?: Tool[];
  text?: string | null;
}

/** Result of `model/countTokens`. */
export interface ModelCountTokensResult {
  tokens: number;
  /** Whether the provider counted; otherwise it is an estimate. */
  exact: boolean;
}

/** Params of `model/get`. */
export interface ModelGetParams {
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
}

/** Result of `model/get`. */
export interface ModelGetResult {
  model: ModelInfo;
}

/** One model as an editor shows it. */
export interface ModelInfo {
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  providerId: string;
  name: string;
  family?: string;
  version?: string;
  /** Tokens that fit in, prompt and answer together. */
  contextWindow: number;
  /** Tokens of the prompt at most, where that is less than the context window. */
  maxInput?: number;
  /** Tokens of one answer at most. */
  maxOutput: number;
  inputModalities: ("text" | "image" | "audio" | "video" | "pdf")[];
  outputModalities: ("text" | "image" | "audio" | "video" | "pdf")[];
  capabilities: ModelCapabilities;
  pricing: Pricing;
  status: "active" | "beta" | "alpha" | "deprecated";
  /** ISO 8601 date. */
  releaseDate?: string;
  /** The model that this name stands for today, where it is an alias; as the provider names it. */
  aliasOf?: string;
  /**
   * True for models that lists leave out unless asked: deprecated ones, previews for few, and those that
   * produce no text.
   */
  hidden?: boolean;
  source: "live" | "offline" | "config";
  /** When the live list was fetched, ISO 8601 in UTC. */
  fetchedAt?: string;
}

/** Params of `model/list`. */
export interface ModelListParams {
  /** Only these providers; every enabled one when absent. */
  providerIds?: string[] | null;
  /** Whether lists may be fetched: not at all, when they are old, or in any case. */
  refresh?: "never" | "ifStale" | "force";
  /** Only models that have all of these. */
  capabilities?: ("tools" | "parallelTools" | "reasoning" | "structuredOutput" | "attachments" | "temperature" | "caching")[];
  includeHidden?: boolean;
  /** `nextCursor` of the page before. */
  cursor?: string | null;
  /** Models of one page at most; all of them when absent. */
  limit?: number | null;
  /**
   * Where to send each provider's models as a ModelListPart when they are known, in `$/progress`; the result
   * has none then.
   */
  partialResultToken?: string | number | null;
}

/** A partial result of `model/list`: what one provider contributes. */
export interface ModelListPart {
  models: ModelInfo[];
  failures: ProviderFailure[];
}

/** Result of `model/list`. A failure stands beside the models that are still known. */
export interface ModelListResult {
  models: ModelInfo[];
  failures: ProviderFailure[];
  /**
   * What to use when the user chose nothing: the configured model, or else a new one that calls tools, of the
   * most popular provider that can be used.
   */
  defaultModel?: string;
  /** For titles and summaries: the configured one, or else the cheapest that fits, of the same provider. */
  smallModel?: string;
  /** Grows whenever a list is replaced. */
  generation: number;
  /** Time of the oldest live list among these, ISO 8601 in UTC; absent when none is live. */
  fetchedAt?: string;
  /** Whether at least one list is older than it should be because a fetch failed. */
  stale: boolean;
  /** Where the next page begins; absent on the last one. */
  nextCursor?: string;
}

/** Make the model call this tool. */
export interface NamedToolChoice {
  name: string;
}

/** Something of the request that did not reach the model as it was given. */
export interface Notice {
  /**
   * `inputReplaced`: a part that the model cannot take was replaced by a text that says so. `optionDropped`:
   * the model does not take this option. `toolsMissing`: tools that a session should have cannot be used,
   * such as those of an MCP server.
   */
  kind: "inputReplaced" | "optionDropped" | "toolsMissing";
  /** One sentence for people. */
  message: string;
}

/** Something of the request did not reach the model as it was given; comes before the answer. */
export interface NoticeGiven {
  type: "notice";
  notice: Notice;
}

/** Something that the provider did itself (a web search, code it ran) and wants back on the next turn. */
export interface OpaquePart {
  type: "opaque";
  /** What it is, in the provider's words, for example `web_search_tool_result`. */
  name: string;
  providerData: ProviderData;
}

/** A connection that is attached to a session. */
export interface Participant {
  participantId: string;
  role: "owner" | "controller" | "observer";
  /** What the client calls itself at `initialize`. */
  name?: string;
  /** RFC 3339, UTC. */
  attachedAt: string;
}

/** Somebody attached. */
export interface ParticipantJoined {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "participant.joined";
  participant: Participant;
}

/** Somebody detached or was lost. */
export interface ParticipantLeft {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "participant.left";
  participantId: string;
}

/** Lines of an open document. */
export interface Passage {
  uri: string;
  range: Range;
}

/** What the session waits for. */
export interface Pending {
  permissions: PermissionRequestParams[];
  toolCalls: ToolCallParams[];
}

/** One possible answer. */
export interface PermissionOption {
  optionId: string;
  /** For people. */
  label: string;
  kind: "allowOnce" | "allowSession" | "allowAlways" | "deny";
}

/** Params of `permission/request`. */
export interface PermissionRequestParams {
  sessionId: string;
  turnId: string;
  requestKey: string;
  /** One sentence for people. */
  title: string;
  subject: PermissionSubject;
  options: PermissionOption[];
}

/** Result of `permission/request`. */
export interface PermissionRequestResult {
  outcome: "selected" | "cancelled";
  optionId?: string | null;
}

/** A turn waits until somebody allows or denies something. */
export interface PermissionRequested {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "permission.requested";
  requestKey: string;
  title: string;
  subject: PermissionSubject;
  options: PermissionOption[];
}

/** A permission was given or denied. */
export interface PermissionResolved {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "permission.resolved";
  requestKey: string;
  outcome: "selected" | "denied" | "cancelled";
  optionId?: string;
  /** Who answered; absent when nobody did. */
  participantId?: string;
}

/** What is to be allowed. */
export interface PermissionSubject {
  kind?: "tool";
  tool: string;
  callId?: string;
  /** The file that is concerned, relative to its workspace folder where it lies in one. */
  path?: string;
  /** What the tool would be called with. */
  arguments?: Record<string, unknown>;
}

/** A place in a text (LSP 3.17, "Position"). Only lines count here. */
export interface Position {
  line: number;
  character: number;
}

/** Prices that hold instead under a condition. What is absent is as in the row before. */
export interface PriceTier {
  input?: number | string;
  output?: number | string;
  /** Prompt tokens that came from the cache; the input price where absent. */
  cacheRead?: number | string;
  /** Prompt tokens that were put into the cache; the input price where absent. */
  cacheWrite?: number | string;
  /** The same, kept for an hour; `cacheWrite` where absent. */
  cacheWrite1h?: number | string;
  /** Reasoning tokens, where they cost something else than other output. */
  reasoning?: number | string;
  inputAudio?: number | string;
  outputAudio?: number | string;
  /** They hold for the whole request when its prompt has more tokens than this. */
  aboveInputTokens?: number;
  /** They hold from this time of the day in UTC, `HHMM`, until `utcEnd`. */
  utcStart?: string;
  utcEnd?: string;
}

/** Prices in `currency` per million tokens. */
export interface Pricing {
  input?: number | string;
  output?: number | string;
  /** Prompt tokens that came from the cache; the input price where absent. */
  cacheRead?: number | string;
  /** Prompt tokens that were put into the cache; the input price where absent. */
  cacheWrite?: number | string;
  /** The same, kept for an hour; `cacheWrite` where absent. */
  cacheWrite1h?: number | string;
  /** Reasoning tokens, where they cost something else than other output. */
  reasoning?: number | string;
  inputAudio?: number | string;
  outputAudio?: number | string;
  currency: string;
  /** Price of one request, whatever its size. */
  request?: number | string;
  /** Conditions in rising order; of those that hold, the last one that names a price counts. */
  tiers?: PriceTier[];
}

/** What a provider needs to be signed in to, and whether it is there: never the key itself. */
export interface ProviderAuth {
  /** Whether it can be used only with a key. */
  needed: boolean;
  /** How a key can be had: copied, or by `auth/login` in one of these ways. */
  methods: ("apiKey" | "browser" | "device")[];
  /** Environment variables that may hold the key, in the order in which they are read. */
  envVars: string[];
  keyState: "present" | "missing";
  keySource?: "config" | "command" | "store" | "keychain" | "env";
  /** The variable that holds the key, when the source is `env`. */
  keyEnvVar?: string;
}

/** Params of `provider/changed`. */
export interface ProviderChangedParams {
  /** The etag that `provider/list` without params gives now. */
  etag: string;
}

/** Params of `provider/configure`. Fields that are absent stay as they are, null takes a setting back. */
export interface ProviderConfigureParams {
  providerId: string;
  /** Whether it is used: kept in `disabled_providers` and, where that is set, `enabled_providers`. */
  enabled?: boolean | null;
  name?: string | null;
  baseUrl?: string | null;
  /** Needed for a provider that nobody knows yet; `openai-chat` otherwise. */
  apiType?: string | null;
  /**
   * Sent with every request. Headers given here are added or replaced, a null one is removed; they are never
   * returned, because they may hold secrets.
   */
  headers?: Record<string, string | null> | null;
  /** Other members of `provider.<id>.options`, merged; never `apiKey`, see `auth/set`. */
  options?: Record<string, unknown> | null;
  /** The etag that the caller saw; the change is refused when it is not current any more. */
  ifMatch?: string | null;
}

/** Result of `provider/configure`. */
export interface ProviderConfigureResult {
  provider: ProviderInfo;
  /** The new etag of the whole list. */
  etag: string;
}

/** What a model wants back unread on the next turn (signatures, encrypted reasoning). */
export interface ProviderData {
  providerId: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  data: unknown;
}

/** Why the list of one provider is missing, incomplete or old. */
export interface ProviderFailure {
  providerId: string;
  error: WireError;
}

/** One provider as an editor shows it. */
export interface ProviderInfo {
  providerId: string;
  name: string;
  /**
   * The wire format that is spoken: `openai-chat`, `openrouter`, `openai-responses`, `anthropic`, `gemini` or
   * `ollama`. Others occur for providers that are known but cannot be spoken to yet; their state is `failed`.
   */
  apiType: string;
  /**
   * Where its requests go; with `${NAME}` in it while the environment variable NAME is not set. Absent when
   * nobody knows.
   */
  baseUrl?: string;
  enabled: boolean;
  state: "notConnected" | "loading" | "ready" | "stale" | "failed" | "disabled";
  /** One sentence for people, whenever the state is not `ready`. */
  stateReason?: string;
  source: "builtin" | "catalog" | "plugin" | "config";
  /** Rank among the popular providers, 0 first; absent for the rest. */
  popular?: number;
  auth: ProviderAuth;
  modelCount: number;
  /** Age of the live model list in milliseconds; absent while the offline catalogue is used. */
  catalogAgeMs?: number;
  docsUrl?: string;
}

/** Params of `provider/list`. */
export interface ProviderListParams {
  includeDisabled?: boolean;
}

/** Result of `provider/list`: popular providers first, then by name. */
export interface ProviderListResult {
  providers: ProviderInfo[];
  /** Changes whenever anything in `providers` other than an age does. */
  etag: string;
}

/** Params of `provider/test`. */
export interface ProviderTestParams {
  providerId: string;
  /** Test this stored key instead of the one in use. */
  keyId?: string | null;
  /** Ask this model for a token, which may cost something; without it only the model list is asked for. */
  model?: string | null;
}

/** Result of `provider/test`. */
export interface ProviderTestResult {
  ok: boolean;
  /** Until the provider had answered, in milliseconds. */
  latencyMs: number;
  /** Why it does not work. */
  error?: WireError;
}

/** From one place to another (LSP 3.17, "Range"); a line that is begun is meant whole. */
export interface Range {
  start: Position;
  end: Position;
}

/** More reasoning text, to be appended. */
export interface ReasoningDelta {
  type: "reasoning.delta";
  text: string;
}

/** How much a reasoning model should think: an effort or a number of tokens, not both. */
export interface ReasoningOptions {
  /** For example `low`, `medium`, `high`; what a model knows is up to the model. */
  effort?: string | null;
  budgetTokens?: number | null;
}

/** What the model thought before it answered. */
export interface ReasoningPart {
  type: "reasoning";
  text: string;
  providerData?: ProviderData | null;
}

/** How long to wait, in milliseconds. What is absent is as the configuration says. */
export interface RequestTimeouts {
  /** For a connection, TLS included. */
  connectMs?: number | null;
  /** From the request to the first byte of the answer. */
  firstByteMs?: number | null;
  /** Between bytes; comments and pings are bytes. */
  idleMs?: number | null;
  /** In the middle of an answer, for anything that belongs to it. */
  progressMs?: number | null;
  /** For all of it, queues, retries and fallbacks included. Without limit by default. */
  totalMs?: number | null;
}

/** The provider could not answer and is asked again after a wait; nothing of an answer has come yet. */
export interface RetryScheduled {
  type: "retry.scheduled";
  /** Which try of this model it will be; the first request was number 1. */
  attempt: number;
  /** How many tries there are at most after such an error. */
  maxAttempts: number;
  /** How long the wait is, in milliseconds from now. */
  delayMs: number;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /** Why the try before failed. */
  error: WireError;
}

/** Params of `server/notice`. */
export interface ServerNotice {
  severity: "info" | "warning" | "error";
  /** One sentence for people. */
  title: string;
  /** More about it. */
  detail?: string;
}

/** Result of `server/status`, and params of `server/statusChanged`. */
export interface ServerStatus {
  /** Whether anything is being generated, for any client. */
  busy: boolean;
  kind: "ok" | "info" | "warning" | "error";
  /** What there is to know, for people, whenever `kind` is not `ok`. */
  message?: string;
  /** The state of every provider, also of those that are switched off, by id. */
  providers: Record<string, "notConnected" | "loading" | "ready" | "stale" | "failed" | "disabled">;
  /** The server's version. */
  version: string;
  /** Requests that a provider is answering, of all clients. */
  running: number;
  /** Requests that wait for their turn, of all clients. */
  waiting: number;
}

/** The server's side. */
export interface ServerTrunkline {
  version: string;
  /** SHA-256 of the generated schema, first 16 hex digits: equal hashes mean equal contracts. */
  schemaHash: string;
  /** Every Trunkline method this server answers. */
  methods: string[];
  features: Features;
  limits: Limits;
}

/** Params of `session/attach`. */
export interface SessionAttachParams {
  sessionId: string;
  /** Continue behind this event; a snapshot comes when absent, or when that is not possible any more. */
  since?: Cursor | null;
  role?: "observer" | "controller";
  snapshot?: SnapshotOptions;
  delivery?: DeliveryOptions;
  /** Tools of this client; it becomes the one that is asked to run them. */
  tools?: Tool[];
}

/** Result of `session/attach`; events follow it on this connection. */
export interface SessionAttachResult {
  role: "owner" | "controller" | "observer";
  epoch: string;
  headSeq: number;
  /** The first event that can still be replayed. */
  oldestSeq: number;
  base: "replay" | "snapshot";
  snapshot?: Snapshot;
  /** With `base: replay`: up to here the events are old ones. */
  replayTo?: number;
  pending: Pending;
  participants: Participant[];
  /** How long, at most, an idle session is kept in memory without anybody attached. */
  graceMs: number;
  /** How often a remote connection is checked. */
  heartbeatMs: number;
}

/** A session appeared, changed in what lists show of it, or was deleted. */
export interface SessionChanged {
  sessionId: string;
  deleted: boolean;
}

/** See `chat/stream`. */
export interface SessionCitationAdded {
  type: "citation.added";
  citation: Citation;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** A session that was followed is no more: deleted, or its log cannot be written. */
export interface SessionClosed {
  sessionId: string;
  /** Absent when it was deleted, or the server ends. */
  error?: WireError;
}

/** Params of `session/create`. */
export interface SessionCreateParams {
  /** Without one, a small model makes it from the first turn. */
  title?: string | null;
  /** The default model when absent. */
  model?: string | null;
  system?: string | null;
  /** Tools of this client: `tool/call` asks it to run them. */
  tools?: Tool[];
  options?: ChatOptions;
  /** The folder it is about, absolute; the workspace folder of the client when absent. */
  cwd?: string | null;
}

/** Result of `session/create`. A client that announced `events` is attached, as its controller. */
export interface SessionCreateResult {
  session: SessionInfo;
  epoch: string;
  headSeq: number;
}

/** The session begins; always its first event. */
export interface SessionCreated {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "session.created";
  title?: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /** The session that it continues. */
  forkedFrom?: string;
}

/** The envelope of every event. */
export interface SessionEvent {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params of `session/events`. */
export interface SessionEventsParams {
  sessionId: string;
  afterSeq: number;
  limit?: number;
  /** About how large the answer may be; one event always fits. */
  maxBytes?: number;
  /** Refuse with 1502 when the log is another one. */
  epoch?: string | null;
}

/** Result of `session/events`. */
export interface SessionEventsResult {
  events: (SessionCreated | SessionUpdated | StateChanged | ParticipantJoined | ParticipantLeft | TurnQueued | TurnStarted | TurnSteered | TurnCompleted | ItemStarted | ItemCompleted | ToolCalled | ToolAnswered | PermissionRequested | PermissionResolved | ContextCompacted | SessionMessageStarted | SessionTextDelta | SessionReasoningDelta | SessionToolCallStarted | SessionToolCallDelta | SessionToolCallCompleted | SessionCitationAdded | SessionMediaCompleted | SessionNoticeGiven | SessionRetryScheduled | SessionFallbackStarted | SessionUsageUpdated)[];
  epoch: string;
  headSeq: number;
  more: boolean;
}

/** See `chat/stream`. */
export interface SessionFallbackStarted {
  type: "fallback.started";
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  previousModel: string;
  /** Why the model before was given up. */
  error: WireError;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params of `session/fork`. */
export interface SessionForkParams {
  sessionId: string;
  /** The last turn that the new session has; all that have ended when absent. */
  atTurn?: string | null;
}

/** Result of `session/fork`: a session of its own with the same beginning. */
export interface SessionForkResult {
  session: SessionInfo;
  epoch: string;
  headSeq: number;
}

/** A session as lists show it. */
export interface SessionInfo {
  sessionId: string;
  title?: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  system?: string;
  options?: ChatOptions;
  /** The folder it is about, absolute. */
  cwd?: string;
  state: "idle" | "running" | "requiresAction";
  epoch: string;
  headSeq: number;
  /** RFC 3339, UTC. */
  createdAt: string;
  updatedAt: string;
  turnCount: number;
  /** Of everything that was asked for this session: turns, titles, summaries. */
  usage?: Usage;
  /** The same; `estimated` where a part of it is unknown or was computed. */
  cost?: Cost;
  forkedFrom?: string;
  /** For `ifMatch` of `session/update`; changes with title, model and options. */
  etag: string;
}

/** Params of `session/interrupt`. */
export interface SessionInterruptParams {
  sessionId: string;
  /** The running turn when absent; a queued one can be named too. */
  turnId?: string | null;
}

/** Result of `session/interrupt`; the end itself is told by `turn.completed`. */
export interface SessionInterruptResult {
  /** False when there was nothing to interrupt. */
  accepted: boolean;
  state: "idle" | "running" | "requiresAction";
}

/** Events between two numbers are not in the log any more and were left out. */
export interface SessionLagged {
  sessionId: string;
  fromSeq: number;
  toSeq: number;
}

/** Params of `session/list`. */
export interface SessionListParams {
  cursor?: string | null;
  limit?: number;
  /** Part of a title or a folder, in any case. */
  query?: string | null;
  state?: "idle" | "running" | "requiresAction" | null;
}

/** Result of `session/list`, last changed first. */
export interface SessionListResult {
  sessions: SessionInfo[];
  nextCursor?: string;
}

/** See `chat/stream`. */
export interface SessionMediaCompleted {
  type: "media.completed";
  media: MediaPart;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** See `chat/stream`. */
export interface SessionMessageStarted {
  type: "message.started";
  providerId: string;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  responseId?: string;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** See `chat/stream`. */
export interface SessionNoticeGiven {
  type: "notice";
  notice: Notice;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params of `session/prompt`. */
export interface SessionPromptParams {
  sessionId: string;
  input: (TextPart | MediaPart)[];
  /** For this turn alone. */
  model?: string | null;
  /** For this turn alone, instead of the session's. */
  options?: ChatOptions | null;
  /** Chosen by the client; the same key again is the same turn, however often it is sent. */
  requestKey: string;
  /** Refuse with 1404 when the session's last event has another number. */
  expectedHead?: number | null;
}

/** Result of `session/prompt`: the prompt is in the log. */
export interface SessionPromptResult {
  turnId: string;
  /** Of its `turn.queued`. */
  seq: number;
  /** One of the last three only where `requestKey` had been used before. */
  state: "running" | "queued" | "completed" | "interrupted" | "failed";
}

/** Params of `session/read`. */
export interface SessionReadParams {
  sessionId: string;
  maxTurns?: number;
  /** Turns before this one; the last ones when absent. */
  beforeTurn?: string | null;
}

/** Result of `session/read`: turns in the order in which they were asked. */
export interface SessionReadResult {
  session: SessionInfo;
  turns: Turn[];
  /** What `turns` reflects. */
  headSeq: number;
  /** For `beforeTurn`, while there are earlier turns. */
  nextBefore?: string;
}

/** See `chat/stream`. */
export interface SessionReasoningDelta {
  type: "reasoning.delta";
  text: string;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params that name a session and nothing else. */
export interface SessionRef {
  sessionId: string;
}

/** See `chat/stream`. */
export interface SessionRetryScheduled {
  type: "retry.scheduled";
  /** Which try of this model it will be; the first request was number 1. */
  attempt: number;
  /** How many tries there are at most after such an error. */
  maxAttempts: number;
  /** How long the wait is, in milliseconds from now. */
  delayMs: number;
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
  /** Why the try before failed. */
  error: WireError;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params of `session/share`. */
export interface SessionShareParams {
  /** All sessions of this process when absent. */
  sessionId?: string | null;
  scope?: "observe" | "control";
  transport?: "unix" | "websocket";
}

/** Result of `session/share`: where others attach, and the file with the token for it. */
export interface SessionShareResult {
  /** `unix:PATH` or `ws://127.0.0.1:PORT`; the token is never in it. */
  url: string;
  tokenFile: string;
  /** RFC 3339, UTC. */
  expiresAt: string;
}

/** Params of `session/steer`. */
export interface SessionSteerParams {
  sessionId: string;
  /** Refuse with 1404 when another turn is running, with 1406 when none is. */
  expectedTurnId: string;
  input: (TextPart | MediaPart)[];
}

/** Result of `session/steer`. */
export interface SessionSteerResult {
  turnId: string;
  seq: number;
}

/** See `chat/stream`. */
export interface SessionTextDelta {
  type: "text.delta";
  text: string;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** See `chat/stream`. */
export interface SessionToolCallCompleted {
  type: "toolCall.completed";
  call: ToolCallPart;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** See `chat/stream`. */
export interface SessionToolCallDelta {
  type: "toolCall.delta";
  callId: string;
  argumentsText: string;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** See `chat/stream`. */
export interface SessionToolCallStarted {
  type: "toolCall.started";
  callId: string;
  name: string;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** Params of `session/update`; absent is unchanged. */
export interface SessionUpdateParams {
  sessionId: string;
  title?: string | null;
  model?: string | null;
  /** Replaces all of the session's options. */
  options?: ChatOptions | null;
  /** Refuse with 1404 when the session's `etag` is another. */
  ifMatch?: string | null;
}

/** Result of `session/update`. */
export interface SessionUpdateResult {
  session: SessionInfo;
}

/** Title, model or options have changed; absent is unchanged. */
export interface SessionUpdated {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "session.updated";
  title?: string;
  model?: string;
  options?: ChatOptions;
}

/** See `chat/stream`. */
export interface SessionUsageUpdated {
  type: "usage.updated";
  usage: Usage;
  cost?: Cost;
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
}

/** The session as it is: its last turns as far as they fit, and the message that is being written. */
export interface Snapshot {
  session: SessionInfo;
  turns: Turn[];
  /** There are earlier turns: `session/read` has them, before the first one here, or all of them. */
  hasMore: boolean;
  /** The message that is being written, as it was at `headSeq`; deltas with its id go on from there. */
  openItem?: Item;
}

/** How much a snapshot may hold. */
export interface SnapshotOptions {
  maxTurns?: number;
}

/** What the session is doing. */
export interface StateChanged {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "state";
  state: "idle" | "running" | "requiresAction";
}

/** More text, to be appended. */
export interface TextDelta {
  type: "text.delta";
  text: string;
}

/** Text. */
export interface TextPart {
  type: "text";
  text: string;
  /** In answers only. */
  citations?: Citation[] | null;
  providerData?: ProviderData | null;
}

/** Where the time went, in milliseconds. */
export interface Timing {
  /** Waited for the turn of the request, because too many of the provider were running. */
  queueMs: number;
  /** To connect; absent when a connection was used again. */
  connectMs?: number;
  /** Since the request was accepted, until the first byte of the answer. */
  firstByteMs?: number;
  /** Likewise, until the first text, reasoning or tool call. */
  firstEventMs?: number;
  totalMs: number;
  /** How often a provider was asked, retries and fallbacks included. */
  attempts: number;
}

/** A range of tokens, both ends included; an absent end is open or unknown. */
export interface TokenRange {
  min?: number;
  max?: number;
}

/** A tool the model may ask for. */
export interface Tool {
  name: string;
  description?: string | null;
  /** JSON Schema of the arguments; always of type `object`. */
  inputSchema?: Record<string, unknown>;
}

/** A tool has answered, failed, or was given up. */
export interface ToolAnswered {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "tool.result";
  callId: string;
  /** What the model gets to read. */
  content: (TextPart | MediaPart)[];
  isError: boolean;
  /**
   * Why, unless it is the tool that says so: `toolUnknown`, `toolDenied`, `toolTimeout`, `toolFailed`, or
   * `requestCancelled` when the turn was interrupted.
   */
  error?: WireError;
}

/** A tool call, whole and parsed. */
export interface ToolCallCompleted {
  type: "toolCall.completed";
  call: ToolCallPart;
}

/** More of the arguments' JSON text, to be appended. */
export interface ToolCallDelta {
  type: "toolCall.delta";
  callId: string;
  argumentsText: string;
}

/** Params of `tool/call`. */
export interface ToolCallParams {
  sessionId: string;
  turnId: string;
  /** An answer that comes late or twice is refused by this id. */
  callId: string;
  name: string;
  /** Valid by the tool's schema. */
  arguments: Record<string, unknown>;
  /** How long the server waits, in milliseconds; progress on `callId` begins it anew. */
  deadlineMs: number;
}

/** The model asks for a tool. */
export interface ToolCallPart {
  type: "toolCall";
  callId: string;
  name: string;
  arguments: Record<string, unknown>;
  /** What the model wrote, only where that is not a JSON object; `arguments` is empty then. */
  argumentsText?: string | null;
  providerData?: ProviderData | null;
}

/** Result of `tool/call`. */
export interface ToolCallResult {
  content?: (TextPart | MediaPart)[];
  isError?: boolean;
}

/** The model begins to call a tool. */
export interface ToolCallStarted {
  type: "toolCall.started";
  callId: string;
  name: string;
}

/** A tool is being run. */
export interface ToolCalled {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "tool.call";
  callId: string;
  name: string;
  arguments: Record<string, unknown>;
}

/** The answer of a tool. */
export interface ToolResultPart {
  type: "toolResult";
  callId: string;
  content: (TextPart | MediaPart)[];
  isError?: boolean;
}

/** A prompt and everything that came of it. */
export interface Turn {
  turnId: string;
  status: "queued" | "running" | "completed" | "interrupted" | "failed";
  model?: string;
  /** Completed messages in their order; the one that is being written is not among them. */
  items: Item[];
  /** The conversation was shortened in this turn. */
  compaction?: Compaction;
  finishReason?: "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "cancelled" | "error" | "other";
  usage?: Usage;
  cost?: Cost;
  error?: WireError;
  queuedAt: string;
  completedAt?: string;
}

/** A turn has ended; nothing carries its id afterwards. */
export interface TurnCompleted {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "turn.completed";
  status: "completed" | "interrupted" | "failed";
  finishReason?: "stop" | "length" | "toolCalls" | "contentFilter" | "refusal" | "cancelled" | "error" | "other";
  /** Of all requests of the turn together. */
  usage?: Usage;
  /** Of all requests of the turn together; `estimated` also where one of them is unknown. */
  cost?: Cost;
  error?: WireError;
}

/** A prompt was accepted; it is in the log from here on. */
export interface TurnQueued {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "turn.queued";
  input: (TextPart | MediaPart)[];
  /** The model for this turn alone. */
  model?: string;
  /** Options for this turn alone. */
  options?: ChatOptions;
  requestKey: string;
  /** Who asked. */
  participantId?: string;
}

/** A turn begins. */
export interface TurnStarted {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "turn.started";
  /** A model reference `provider/model`, split at the first `/` only: model ids contain `/`. */
  model: string;
}

/** Somebody added to a running turn; the model sees it when it is asked next. */
export interface TurnSteered {
  sessionId: string;
  /** The incarnation of the log; another one means that a cursor is worth nothing any more. */
  epoch: string;
  /** The event's number in the session, from 1, without gaps. */
  seq: number;
  /** A delta that was merged covers the numbers from here to `seq`. */
  seqFrom?: number;
  /** When it happened; RFC 3339, UTC. */
  ts: string;
  turnId?: string;
  itemId?: string;
  type: "turn.steered";
  input: (TextPart | MediaPart)[];
  participantId?: string;
}

/** Tokens of one request. Input counts every prompt token, output every generated one. */
export interface Usage {
  inputTokens: number;
  /** Part of `inputTokens`. */
  cacheReadTokens: number;
  /** Part of `inputTokens`. */
  cacheWriteTokens: number;
  /** Part of `cacheWriteTokens`: those kept for an hour. */
  cacheWrite1hTokens: number;
  outputTokens: number;
  /** Part of `outputTokens`. */
  reasoningTokens: number;
}

/** Tokens and cost so far; the last one counts. */
export interface UsageUpdated {
  type: "usage.updated";
  usage: Usage;
  cost?: Cost;
}

/** A JSON-RPC error object. */
export interface WireError {
  code: number;
  message: string;
  data: ErrorData;
}

export type ChatEvent =
  | MessageStarted
  | TextDelta
  | ReasoningDelta
  | ToolCallStarted
  | ToolCallDelta
  | ToolCallCompleted
  | CitationAdded
  | MediaCompleted
  | NoticeGiven
  | RetryScheduled
  | FallbackStarted
  | UsageUpdated
  | MessageCompleted;

export type AnySessionEvent =
  | SessionCreated
  | SessionUpdated
  | StateChanged
  | ParticipantJoined
  | ParticipantLeft
  | TurnQueued
  | TurnStarted
  | TurnSteered
  | TurnCompleted
  | ItemStarted
  | ItemCompleted
  | ToolCalled
  | ToolAnswered
  | PermissionRequested
  | PermissionResolved
  | ContextCompacted
  | SessionMessageStarted
  | SessionTextDelta
  | SessionReasoningDelta
  | SessionToolCallStarted
  | SessionToolCallDelta
  | SessionToolCallCompleted
  | SessionCitationAdded
  | SessionMediaCompleted
  | SessionNoticeGiven
  | SessionRetryScheduled
  | SessionFallbackStarted
  | SessionUsageUpdated;

/** What a client can ask. */
export interface Requests {
  /** How the server is doing. Never touches the network. */
  "server/status": { params: Empty; result: ServerStatus };
  /** Which providers there are and whether each can be used. Never touches the network. */
  "provider/list": { params: ProviderListParams; result: ProviderListResult };
  /** Change the settings of one provider in the user's own configuration file, or add a provider. */
  "provider/configure": { params: ProviderConfigureParams; result: ProviderConfigureResult };
  /**
   * Find out whether a provider can be reached with the key in use. A provider that cannot is a result, not
   * an error.
   */
  "provider/test": { params: ProviderTestParams; result: ProviderTestResult };
  /** Which models there are. Live lists are fetched only from providers that can be used. */
  "model/list": { params: ModelListParams; result: ModelListResult };
  /** One model by its reference. */
  "model/get": { params: ModelGetParams; result: ModelGetResult };
  /** How many tokens a text or a conversation is for a model. */
  "model/countTokens": { params: ModelCountTokensParams; result: ModelCountTokensResult };
  /** Store a key. It is never returned; the answer describes it. */
  "auth/set": { params: AuthSetParams; result: AuthSetResult };
  /** Every key that could be used, from every source, without the secrets. */
  "auth/list": { params: AuthListParams; result: AuthListResult };
  /** Forget a stored key. Removing what is not there succeeds. */
  "auth/remove": { params: AuthRemoveParams; result: Empty };
  /** Use this stored key from now on. */
  "auth/select": { params: AuthSelectParams; result: AuthSelectResult };
  /** Ask the provider whether a key is good. */
  "auth/verify": { params: AuthVerifyParams; result: AuthVerifyResult };
  /** Sign in without copying a key: in the browser, or with a code on another device. */
  "auth/login": { params: AuthLoginParams; result: AuthLoginResult };
  /** Give the code that a sign-in page shows. */
  "auth/submitCode": { params: AuthSubmitCodeParams; result: Empty };
  /** End a sign-in. Cancelling what has ended succeeds. */
  "auth/cancelLogin": { params: AuthCancelLoginParams; result: Empty };
  /** Send a conversation to a model and get its answer, streamed to `partialResultToken` if one is given. */
  "chat/stream": { params: ChatStreamParams; result: ChatStreamResult };
  /** Begin a session. */
  "session/create": { params: SessionCreateParams; result: SessionCreateResult };
  /** List sessions, last changed first. */
  "session/list": { params: SessionListParams; result: SessionListResult };
  /** Read turns of a session that have ended, and what is completed of the running one. */
  "session/read": { params: SessionReadParams; result: SessionReadResult };
  /** Change title, model or options. */
  "session/update": { params: SessionUpdateParams; result: SessionUpdateResult };
  /** Begin a session with the turns of another one. */
  "session/fork": { params: SessionForkParams; result: SessionForkResult };
  /** Delete a session and everything in it; a running turn is interrupted. */
  "session/delete": { params: SessionRef; result: Empty };
  /** Ask. The answer says that the prompt is in the log; what comes of it is told by events. */
  "session/prompt": { params: SessionPromptParams; result: SessionPromptResult };
  /** Add to the running turn. */
  "session/steer": { params: SessionSteerParams; result: SessionSteerResult };
  /** End a turn; its text so far is kept. */
  "session/interrupt": { params: SessionInterruptParams; result: SessionInterruptResult };
  /** Follow a session, and write to it as a controller. */
  "session/attach": { params: SessionAttachParams; result: SessionAttachResult };
  /** Stop following a session. */
  "session/detach": { params: SessionRef; result: Empty };
  /** Read events from the log: for clients without notifications, and to catch up. */
  "session/events": { params: SessionEventsParams; result: SessionEventsResult };
  /** Let others attach to this process: opens a listener. */
  "session/share": { params: SessionShareParams; result: SessionShareResult };
}

/** What the server asks of clients that announced it. */
export interface ServerRequests {
  /** Run a tool that this connection declared. */
  "tool/call": { params: ToolCallParams; result: ToolCallResult };
  /** Ask the user whether something may be done. The first valid answer of all controllers counts. */
  "permission/request": { params: PermissionRequestParams; result: PermissionRequestResult };
}

/** What the server tells clients that announced `events`. */
export interface Notifications {
  /** What `server/status` answers has changed; a few times a second at most. */
  "server/statusChanged": ServerStatus;
  /**
   * Something that the user should notice. It is said with `window/showMessage` as well, for editors that do
   * not know this one; a client that shows it itself names the other one in `optOut`.
   */
  "server/notice": ServerNotice;
  /** What `provider/list` answers has changed. */
  "provider/changed": ProviderChangedParams;
  /** The model lists of these providers have changed. */
  "model/changed": ModelChangedParams;
  /** A key was stored, removed, selected or verified. */
  "auth/changed": AuthChangedParams;
  /** A sign-in has ended. */
  "auth/loginCompleted": AuthLoginCompletedParams;
  /** An event of a session that this connection is attached to, in rising order of `seq`. */
  "session/event": AnySessionEvent;
  /**
   * Events were dropped from the log before this connection took them; `session/read` has their completed
   * items.
   */
  "session/lagged": SessionLagged;
  /** A session that this connection is attached to is no more. */
  "session/closed": SessionClosed;
  /** The list of sessions is not what it was. */
  "session/changed": SessionChanged;
}

/** The number of each error, by `data.kind`. */
export interface ErrorCodes {
  /** What came is no JSON. */
  parseError: -32700;
  /** It is JSON, but no JSON-RPC message. */
  invalidRequest: -32600;
  /** There is no such method. */
  methodNotFound: -32601;
  /** A field of the params is wrong; the message names it. */
  invalidParams: -32602;
  /** A defect of Trunkline. */
  internalError: -32603;
  /** Something came before `initialize`. */
  serverNotInitialized: -32002;
  /** The client cancelled it. */
  requestCancelled: -32800;
  /** Client and server have no protocol version in common. */
  unsupportedVersion: 1001;
  /** The method needs something that the client did not announce. */
  capabilityMissing: 1002;
  /** There is no key. */
  authMissing: 1101;
  /** The provider does not accept the key. */
  authRejected: 1102;
  /** The key is good, but not for this. */
  authForbidden: 1103;
  /** A sign-in is over and cannot be renewed. */
  authExpired: 1104;
  /** Signing in failed, or was refused on the page. */
  loginFailed: 1105;
  /** Signing in was cancelled here. */
  loginCancelled: 1106;
  /** Nobody finished signing in. */
  loginTimeout: 1107;
  /** No credits are left, or a limit of the account is reached. */
  quotaExhausted: 1108;
  /** Another process holds the key store. */
  keyStoreLocked: 1109;
  /** The key store is there and cannot be read. */
  keyStoreUnreadable: 1110;
  /** Nobody knows this provider. */
  providerUnknown: 1201;
  /** A setting leaves it out. */
  providerDisabled: 1202;
  /** Its section of the configuration is wrong. */
  providerMisconfigured: 1203;
  /** A configuration file cannot be read, so nothing is sent to anybody. */
  configurationInvalid: 1204;
  /** Nobody ever listed this model. */
  modelUnknown: 1211;
  /** The model exists, but not for you now: not in the provider's list, or left out by a setting. */
  modelUnavailable: 1212;
  /** The provider has taken the model away. */
  modelDeprecated: 1213;
  /** The conversation does not fit into the model; `limit` and `actual` in tokens, if told. */
  contextTooLong: 1221;
  /** The model cannot take a part of the message. */
  unsupportedInput: 1222;
  /** The provider or its format does not know an option. */
  unsupportedOption: 1223;
  /** No connection to the provider. */
  upstreamUnreachable: 1301;
  /** The provider took too long; `phase` says with what. */
  upstreamTimeout: 1302;
  /** The provider has an error of its own. */
  upstreamError: 1303;
  /** Too many requests for this key. */
  rateLimited: 1304;
  /** The provider has too much to do. */
  upstreamOverloaded: 1305;
  /** The answer broke off; `partial` has what came. */
  streamInterrupted: 1306;
  /** The provider sent what its format does not allow. */
  streamMalformed: 1307;
  /** A filter of the provider stopped the answer. */
  contentFiltered: 1308;
  /** The model refused to answer. */
  refused: 1309;
  /** The provider does not accept the request; `detail` has its words. */
  upstreamBadRequest: 1310;
  /** There is no such session, or not any more. */
  sessionUnknown: 1401;
  /** The token's scope does not allow it. */
  notPermitted: 1403;
  /** Something changed meanwhile. */
  conflict: 1404;
  /** Nothing runs that could be steered or interrupted. */
  noActiveTurn: 1406;
  /** There is no such turn in this session. */
  turnUnknown: 1407;
  /** Events behind this cursor are not kept any more. */
  cursorExpired: 1501;
  /** The session's log begins anew. */
  epochChanged: 1502;
  /** No valid token. */
  attachUnauthorized: 1503;
  /** The client took nothing for too long and was cut off. */
  tooSlow: 1506;
  /** The client did not answer pings. */
  heartbeatLost: 1507;
  /** The model asked for a tool that nobody offers. */
  toolUnknown: 1601;
  /** The tool took too long. */
  toolTimeout: 1602;
  /** The tool failed; the message says how. */
  toolFailed: 1603;
  /** A person or a rule did not allow the tool. */
  toolDenied: 1604;
  /** The answer came after somebody else's. */
  toolAnswerStale: 1605;
  /** Too many requests run on this connection. */
  overloaded: 1701;
  /** The message is larger than is allowed. */
  messageTooLarge: 1702;
  /** The JSON is nested too deep. */
  tooDeep: 1703;
  /** A file of Trunkline cannot be read or written. */
  storageError: 1801;
  /** There is no room on the disk. */
  storageFull: 1802;
}
