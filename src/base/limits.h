/* SPDX-License-Identifier: MIT */
#pragma once

/* Every quantity that a client or another server can grow has its ceiling here, with its reason. */

#include "base/limits-bus.h"
#include "base/limits-http.h"
#include "base/limits-json.h"
#include "base/limits-models.h"

/* --- configuration: written by an operator, so generous, but a wrong file must not exhaust memory --- */
#define CONFIG_FILE_MAX (16U << 20) /* fits 100,000 keys of 64 characters with names */
#define KEYS_MAX 100000U            /* the pick is measured up to here */
#define TOKENS_MAX 4096U            /* each request is compared with all of them */
#define CIDR_RULES_MAX 1024U        /* each request is compared with all of them */
#define LISTENERS_MAX 64U
#define DIRECTORY_PATH_MAX 4000U    /* PATH_MAX, and room for a file's name */
#define PROXIES_MAX 1024U           /* different ones: each has its own idle connections, and 10 KiB */
#define FALLBACKS_MAX 256U          /* models with fallbacks */
#define FALLBACK_STEPS_MAX 8U       /* fallbacks of one model: each costs its tries */
#define MODEL_LIMITS_MAX 1024U      /* rows; a new quota is compared with all of them */
#define MODEL_LIMIT_MAX 1000000000000ULL /* one number: above it the arithmetic of a minute could wrap */

/* --- requests --- */
#define REQUEST_ID_MAX 64U            /* the client's x-request-id, echoed and logged */
#define FORWARDED_HOPS_MAX 32U        /* addresses in X-Forwarded-For; a longer chain is refused */
#define JSON_DEPTH_MAX 64U            /* nesting of a client's or Gemini's JSON; the parser recurses */
#define MESSAGES_MAX 16384U           /* entries of `messages` */
#define STOP_SEQUENCES_MAX 5U         /* Gemini's own limit */
#define FINISH_REASON_MAX 47U         /* bytes of Gemini's finishReason, an open enum, that are logged */
#define CANDIDATES_MAX 8U             /* `n`: Gemini's own limit of candidateCount */
#define TOOLS_MAX 512U                /* functions of a request: Gemini's own limit */
#define TOOL_NAME_MAX 1024U           /* bytes of a client's name; OpenAI takes 64, Anthropic 128 */
#define TOOL_NAME_MAPPED_MAX 64U      /* as Gemini gets it: dialect/tool-names.h */
#define TOOL_NAMES_MAX 1024U          /* functions of a request, and those that only its history calls */

/* --- requests that wait for a key (QUEUE_WAIT); each keeps its body and its connection --- */
#define KEY_QUEUE_PLACES_MAX 3072U       /* at one time; a client alone gets a third of them for one model */
#define KEY_QUEUE_BYTES_MAX (128U << 20) /* bytes of their bodies: 1/4 of MAX_INFLIGHT_BYTES' default */
#define QUEUE_WAIT_MAX USEC_PER_HOUR /* a client that can wait longer has Retry-After */
#define QUEUE_WAIT_SILENT_MAX USEC_PER_MINUTE /* without a byte to the client: proxies and SDKs give up */

/* --- answers from upstream: Google's, or those of a broken proxy --- */
#define UPSTREAM_ANSWER_MAX (64U << 20) /* one unary answer; inline images are tens of MiB */
#define UPSTREAM_EVENT_MAX (32U << 20)  /* one SSE event */
#define UPSTREAM_ERROR_MAX (64U << 10)  /* an error body; the rest is cut off */
#define UPSTREAM_MESSAGE_MAX 2048U      /* Google's message of an error, as passed on */

/* --- one stream to a client --- */
#define STREAM_HIGH_MARK (64U << 10)                    /* above it the upstream is paused */
#define STREAM_LOW_MARK (16U << 10)                     /* below it the upstream continues */
#define STREAM_BUFFER_MAX (2U * UPSTREAM_EVENT_MAX)     /* never reached while pausing works */

/* --- the pool --- */
#define MODELS_MAX 256U        /* clients can invent names; models that never answered are dropped first */
#define SLOTS_MAX (1U << 20)   /* (key, model) pairs, 0.4 KiB each, quotas 0.7; beyond, models are dropped */
#define SLOT_ERROR_MAX 256U    /* bytes of an error's short cause and Google's message, kept for each slot */
#define TRIES_MAX 64U          /* attempts of one request: a refusal takes milliseconds, 64 take a second */
#define TRIES_DEAR_MAX 3U      /* of these, the ones that cost the client time or Google work: core/tries */
#define HEDGE_MODELS_MAX 64U   /* models timed to the first event for HEDGE_AFTER=p95, 0.7 KiB each */

/* --- state kept over restarts --- */
#define STATE_BATCH_ROWS  8192U       /* made in one turn, of ~8 ms; urgent rows wait for one transaction */
#define STATE_BATCH_MAX   (64U << 20) /* ~0.1 KiB a row, 1.2 with the longest names and errors */
#define STATE_ABSENT_MAX  131072U /* keys and projects of the file that are not configured, 0.1 KiB each */
#define STATE_PATH_MAX    4000U        /* PATH_MAX, and room for a suffix */
#define DAYBOOK_ROWS_MAX  131072U      /* 400 days of 256 models, and more; 80 bytes each */

/* --- the project that served a conversation last --- */
#define AFFINITY_MAX       16384U       /* conversations, 72 bytes each; the latest ones */
#define OPENING_SEARCH_MAX (64U << 10)  /* bytes of a request's JSON in which the first message must begin */
#define OPENING_DIGEST_MAX (16U << 10)  /* bytes of that message: later differences are ignored */

/* --- files, cached contents and uploads, and their projects --- */
#define BINDING_ID_MAX     128U   /* after `files/`; Google's own have 40 at most */
#define BINDINGS_MAX       16384U /* remembered at one time, 0.4 KiB each, an upload 1.4 */
#define BINDINGS_TOKEN_MAX 4096U  /* of one token, so that one client cannot take all */
#define RESOURCE_ANSWER_MAX (1U << 20) /* bytes: Google's description of a file; usually some hundred */
#define RESOURCE_LIST_MAX  100U   /* entries of one page: each is a request to Google */

/* --- output for the operator --- */
#define MANAGE_ANSWER_MAX (512U << 20) /* 100,000 keys with three models each are 150 MiB */
#define LONG_ANSWERS_MAX 8U  /* of the management, from the first slice until the client has read it all */
#define LONG_ANSWER_STARTS_MAX 8U /* of one answer, whose keys were replaced while it was made */
#define STATS_SLICE_ROWS 256U /* of a turn of the loop: about a millisecond */
#define STATS_MODELS_PER_ROW 16U /* looking at a key for so many models takes as long as writing a row */
#define MANAGE_NAMES_MAX 8U            /* keys that one piece of advice names; the rest is a number */
#define REQUESTS_SHOWN_MAX 1024U       /* open requests, the oldest; 0.3 KiB each */
#define CTL_OUTPUT_MAX (512U << 20)    /* of gemgatectl; as MANAGE_ANSWER_MAX */

/* --- around the start --- */
#define TURN_AWAY_MAX 4096U /* clients that wait at a socket (its backlog) of a daemon that cannot start */
#define SWEEP_ENTRIES_MAX 65536U /* entries read where a killed daemon may have left files */

/* --- a job at the Gemini CLI; the protocol is base/job-protocol.h --- */
#define CLI_PROMPT_MAX  2000000U /* bytes of text: four times as long with guards, and the CLI reads 8 MiB */
#define JOB_CALLS_MAX   8U           /* inner requests of one job: usually one; more if a CLI loops */
#define CLI_QUEUE_MAX   256U         /* jobs that wait for CLI_MAX_JOBS; each keeps its body */
#define CLI_SYSTEM_MAX  (1U << 20)   /* system texts run to tens of KiB */
#define CLI_HISTORY_MAX (4U << 20)   /* all its texts; a context window of a million tokens is about that */
#define CLI_TURNS_MAX   4096U        /* of a history */
#define CLI_LINE_MAX    (4U << 20) /* of the CLI's output: an answer's 65,000 tokens in one piece, escaped */
#define JOB_TOKEN_MAX   512U         /* the CLI's API key; as SECRET_LENGTH_MAX */
#define JOB_LINE_MAX    (43U << 20)  /* daemon to runner: each byte of the texts escaped, and their frame */
#define JOB_TEXT_MAX    (64U << 10)  /* of the answer in one line; a longer piece comes as several lines */
#define JOB_MESSAGE_MAX 4096U        /* of the CLI's error message */
#define JOB_STDERR_MAX  (16U << 10)  /* the end of what the CLI wrote there */
#define JOB_EVENT_MAX   (512U << 10) /* runner to daemon: JOB_TEXT_MAX escaped, and its frame */

/* --- the log --- */
#define LOG_LINE_MAX (256U << 10) /* one line; LOG_BODIES is cut to fit */
#define LOG_PATH_MAX 128U         /* bytes of a stranger's path in a line; escaped, three times as many */
#define LOG_SECRET_MAX 1024U      /* bytes of a token or a key in such a path */
#define LOG_BODY_MAX (64U << 10)  /* of a body, with LOG_BODIES=yes */
#define LOG_QUEUE_MAX (320U << 10) /* lines that standard output or the journal did not take at once */
#define LOG_FILE_BUFFER_MAX (1U << 20) /* lines that wait for the thread that writes them */
#define LOG_FILE_RETRY      (5 * USEC_PER_SEC) /* until a failed disk is tried again */
#define LOG_LIMIT_BURST    50U          /* lines of one kind that clients cause; the rest is counted */
#define LOG_LIMIT_INTERVAL (10 * USEC_PER_SEC)     /* the time in which the burst is refilled */
