/**
 * What the parts of the sandbox agree on: who the simulated people are, what a model was asked, what it will answer,
 * and what each simulated upstream is given to work with.
 *
 * The sandbox uses none of the relay's own codecs: it writes its own bytes, so that a codec bug cannot hide by being on
 * both sides.
 *
 * @module
 */

/** A simulated person. Several exist so that tests can have colleagues, free plans and dead accounts. */
export interface SandboxUser {
  /** Login word, e.g. `ada`. Unique. */
  readonly name: string;
  /** As the pages show it. */
  readonly displayName: string;
  /** What is special about the person, for the sign-in pages. */
  readonly note: string;
  /** Address in the claims and profiles. */
  readonly email: string;
  /** ChatGPT: the person (`user-...`). */
  readonly chatgptUserId: string;
  /** ChatGPT: the workspace that colleagues share. */
  readonly chatgptAccountId: string;
  /** ChatGPT: the plan as the claims spell it. */
  readonly chatgptPlan: string;
  /** Grok: the `sub` of the tokens. */
  readonly xaiSubject: string;
  /** Grok: the plan tier of the access token. */
  readonly xaiTier: number;
  /** GitHub: the numeric user id. */
  readonly githubId: number;
  /** GitHub: which Copilot seat the person has. */
  readonly copilotSeat:
    | "free"
    | "individual"
    | "business"
    | "none"
    | "suspended"
    | "exhausted"
    | "weekly_limit";
  /** True when the ChatGPT and Grok subscriptions are used up: calls are refused until the reset. */
  readonly exhausted?: boolean;
}

/** What a model was asked, free of any dialect. */
export interface Turn {
  /** The model's id as asked for. */
  readonly model: string;
  /** System and developer texts and the instructions, in order. */
  readonly instructions: readonly string[];
  /** The conversation in order; `text` joins the text parts of one message. */
  readonly messages: readonly {
    readonly role: "user" | "assistant";
    readonly text: string;
    readonly images: number;
  }[];
  /** Function and custom tools on offer, in order. A custom tool takes free text and has no parameters. */
  readonly tools: readonly {
    readonly name: string;
    readonly parameters: unknown;
    readonly freeform?: true;
  }[];
  /** Results of earlier calls that came after the last user message, in order. */
  readonly toolResults: readonly {
    readonly callId: string;
    readonly name: string;
    readonly output: string;
  }[];
  /** Whether tools may, must or must not be called, or which one must. */
  readonly toolChoice: "auto" | "none" | "required" | { readonly name: string };
  /** True when one answer may call several tools. */
  readonly parallelToolCalls: boolean;
  /** True when the request asked for visible reasoning (an effort other than none). */
  readonly reasoning: boolean;
  /** The JSON schema that the answer must follow, when one was asked for; else undefined. */
  readonly schema: unknown;
  /** The most output tokens that the request allows, where its upstream honours such a limit. */
  readonly maxOutputTokens?: number;
}

/** What the model will answer; the same turn always gives the same plan. */
export interface Plan {
  /** Reasoning summary, in the pieces in which it is streamed. */
  readonly reasoning: readonly string[];
  /** Answer text, in the pieces in which it is streamed. */
  readonly text: readonly string[];
  /** A refusal in the pieces in which it is streamed; then there is no text. */
  readonly refusal: readonly string[];
  /** Tool calls; `fragments` join to the arguments' JSON text, or to the input of a custom tool. */
  readonly toolCalls: readonly {
    readonly name: string;
    readonly freeform?: true;
    readonly fragments: readonly string[];
  }[];
  /** Why the answer ends. */
  readonly finish: "stop" | "length" | "content_filter";
  /** Token counts; `outputTokens` includes `reasoningTokens`, `inputTokens` includes `cachedTokens`. */
  readonly usage: {
    readonly inputTokens: number;
    readonly cachedTokens: number;
    readonly outputTokens: number;
    readonly reasoningTokens: number;
  };
  /** A hexadecimal digest of the turn, for ids that stay the same for the same request. */
  readonly digest: string;
}

/** The engine: a pure function. */
export type PlanTurn = (turn: Turn) => Plan;

/** A scripted misbehaviour. Taken from the queue by the first request that it matches. */
export interface Fault {
  /** The upstream that misbehaves. */
  readonly upstream: "chatgpt" | "grok" | "copilot";
  /** Which step it hits. */
  readonly on: "device" | "poll" | "exchange" | "refresh" | "user" | "models" | "call" | "revoke";
  /** What happens. */
  readonly kind:
    /** Answer `status` with the upstream's typical body for it (429 with its reset time, 503 overloaded, ...). */
    | {
      readonly type: "status";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
    /** Cloudflare's HTML challenge with status 403. */
    | { readonly type: "challenge" }
    /** RFC 8628 `slow_down` in the upstream's own way (poll only). */
    | { readonly type: "slow_down" }
    /** Close the connection without an answer. */
    | { readonly type: "drop" }
    /**
     * Do nothing until released through `SandboxControl.release`, then go on normally. When the client leaves first,
     * nothing is consumed.
     */
    | { readonly type: "hang" }
    /**
     * Stream faults (call only): the named end after `afterPieces` pieces of text. `stream_cut` breaks the connection,
     * `stream_eof` ends the body in order but without a last event, `stream_garbage` sends a frame that is no JSON and
     * goes on, `stream_hang` falls silent until released and goes on.
     */
    | {
      readonly type:
        | "stream_failed"
        | "stream_incomplete"
        | "stream_error_event"
        | "stream_cut"
        | "stream_eof"
        | "stream_garbage"
        | "stream_hang";
      readonly afterPieces: number;
    }
    /** 200 and an event stream whose first event says that the upstream is overloaded (call only). */
    | { readonly type: "overloaded_in_stream" }
    /** 200, but the body is one JSON error document although a stream was asked for (call only). */
    | { readonly type: "json_error_in_200" };
  /** How many requests it hits; 1 when absent. */
  readonly times?: number;
}

/** What the sandbox remembers of each request that reached it, for tests to judge. */
export interface RecordedRequest {
  /** The upstream that was asked. */
  readonly upstream: "chatgpt" | "grok" | "copilot";
  /** `other` until the upstream that handles the request knows better and sets it. */
  on: Fault["on"] | "page" | "other";
  /** The method in capitals. */
  readonly method: string;
  /** With mount prefix and query. */
  readonly path: string;
  /** The headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text, cut at the recorder's limit. */
  readonly body: string;
  /** When it came, milliseconds since the epoch. */
  readonly atMs: number;
  /**
   * Set when the answer has ended: fully sent, stopped because the client left, or broken off by a scripted fault. Only
   * noticed by the server that carries it; upstreams leave it alone.
   */
  end?: "sent" | "client_left" | "dropped" | undefined;
}

/** A device sign-in that waits for a person. */
export interface PendingApproval {
  /** The upstream that the person signs in to. */
  readonly upstream: "chatgpt" | "grok" | "copilot";
  /** The code that the person types. */
  readonly userCode: string;
  /** When the code ends, milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The app's name if the upstream was told one. */
  readonly clientName: string;
  /** What the person has decided. */
  state: "waiting" | { readonly approvedBy: SandboxUser } | "denied";
}

/**
 * Where public sources disagree about an upstream, or where it is seen to behave in several ways: which way the sandbox
 * takes. A control call may change a switch while the sandbox runs, so they are read at each request.
 */
export interface Switches {
  /** Switches of ChatGPT. */
  readonly chatgpt: {
    /** Status of a poll that is too early to be answered: 403 is usual, 404 is seen too. */
    readonly pendingStatus: 403 | 404;
    /** A member that token answers leave out; clients then keep the old one. */
    readonly tokenAnswerOmits: "nothing" | "id_token" | "refresh_token";
    /** Whether the last event repeats the output items. The real backend mostly sends `[]`. */
    readonly terminalOutput: "empty" | "filled";
    /** Sends `codex.rate_limits` before `response.created`. */
    readonly rateLimitsEvent: boolean;
    /** Sends a `keepalive` event between the pieces of the answer. */
    readonly keepalive: boolean;
    /** Cuts the stream into chunks of this many bytes, whatever the frames; 0 sends frame by frame. */
    readonly chunkBytes: number;
    /** Adds an unknown event of this many bytes to each stream; 0 adds none. */
    readonly hugeEventBytes: number;
  };
  /** Switches of Grok. */
  readonly grok: {
    /** The proxy rail refuses calls without `X-XAI-Token-Auth`. */
    readonly requireTokenAuth: boolean;
    /** The proxy rail refuses calls without a recent `x-grok-client-version`. */
    readonly requireClientVersion: boolean;
  };
  /** Switches of GitHub Copilot. */
  readonly copilot: {
    /** Text and tool calls come in different choices of one chat answer. */
    readonly splitChoices: boolean;
    /** Every event of a Responses stream names another opaque id for the same item. */
    readonly rotatingIds: boolean;
  };
}

/** What every simulated upstream is given. */
export interface SandboxContext {
  /** The clock, milliseconds since the epoch. */
  readonly now: () => number;
  /** The sandbox's own origin, e.g. `http://127.0.0.1:4100`, without a trailing slash. */
  readonly origin: () => string;
  /** Everyone who can sign in. */
  readonly users: readonly SandboxUser[];
  /** The simulated models. */
  readonly planTurn: PlanTurn;
  /** Seconds between polls that the upstreams demand. */
  readonly pollIntervalSeconds: number;
  /** Life of access tokens (and of exchanged Copilot tokens), seconds. */
  readonly accessTokenSeconds: number;
  /** Non-null: every device sign-in is approved at once for this person. */
  readonly autoApproveAs: SandboxUser | null;
  /** The switches as they are now. */
  readonly switches: () => Switches;
  /** Every open approval, shared by the pages of all upstreams. */
  readonly approvals: PendingApproval[];
  /** Takes the next matching fault off the queue. */
  takeFault(upstream: Fault["upstream"], on: Fault["on"]): Fault["kind"] | undefined;
  /** Resolves when the test releases hanging requests, or when `signal` aborts. */
  hang(signal: AbortSignal): Promise<void>;
  /**
   * A deterministic, unguessable-looking string: `prefix` and 32 letters and digits derived from `purpose` and a counter.
   * The counter makes the n-th token of a purpose the same in every run of the sandbox.
   */
  token(prefix: string, purpose: string): string;
}

/** One simulated upstream, mounted under its own path prefix. */
export interface SimulatedUpstream {
  /**
   * Answers a request whose path had the mount prefix removed; `path` starts with a slash and has no query. Sets
   * `record.on` when it knows the step. `request.signal` aborts when the client leaves, before or during the answer; a
   * body that is a stream is cancelled then. May reject with `ConnectionDropped` (interruption.ts) to close the
   * connection without an answer.
   */
  handle(request: Request, path: string, record: RecordedRequest): Promise<Response>;
}
