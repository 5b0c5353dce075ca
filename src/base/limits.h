/* SPDX-License-Identifier: MIT */
#pragma once

/* Every quantity that a stranger can grow has its ceiling here, with one line of why. */

/* --- configuration: what an operator writes, so generous, but a wrong file must not eat the machine --- */
#define CONFIG_FILE_MAX (16U << 20) /* 100,000 keys of 64 characters with names fit */
#define KEYS_MAX 100000U            /* the pick is measured up to here */
#define TOKENS_MAX 4096U            /* every request is compared with each */
#define CIDR_RULES_MAX 1024U        /* every request is compared with each */
#define ALIASES_MAX 1024U
#define LISTENERS_MAX 64U
#define DIRECTORY_PATH_MAX 4000U    /* PATH_MAX, and room for a file's name */
#define FALLBACKS_MAX 256U          /* models that have others to fall back to */
#define FALLBACK_STEPS_MAX 8U       /* others for one of them: each costs its tries */
#define MODEL_LIMITS_MAX 1024U      /* rows; a quota that is made looks at each */
#define MODEL_LIMIT_MAX 1000000000000ULL /* of one number: above it the arithmetic of a minute could wrap */

/* --- requests --- */
#define MODEL_NAME_MAX 128U           /* the contract's grammar */
#define REQUEST_ID_MAX 64U            /* the client's x-request-id, echoed and logged */
#define HTTP_HEADERS_MAX (16U << 10)  /* libmicrohttpd's pool for one request's headers; 431 beyond */
#define HTTP_SWALLOW_MAX (8U << 20)   /* read of a body that is too large, so that the 413 arrives */
#define FORWARDED_HOPS_MAX 32U        /* addresses in X-Forwarded-For; a longer chain is no honest one */
#define JSON_DEPTH_MAX 64U            /* nesting of a client's or Gemini's JSON; the parser recurses */
#define MESSAGES_MAX 16384U           /* entries of `messages` */
#define STOP_SEQUENCES_MAX 5U         /* Gemini's own bound */
#define FINISH_REASON_MAX 47U         /* of Gemini's word, an open enum, as logged */
#define CANDIDATES_MAX 8U             /* `n`: Gemini's own bound on candidateCount */

/* --- those who wait for a key (QUEUE_WAIT); each keeps its body and its connection --- */
#define LINE_PLACES_MAX 1024U        /* at one time, for all models; 429 beyond */
#define LINE_BYTES_MAX (128U << 20)  /* of their bodies: a quarter of what MAX_INFLIGHT_BYTES lets in */

/* --- what comes from upstream: Google's, but a broken proxy can stand between --- */
#define UPSTREAM_ANSWER_MAX (64U << 20) /* one unary answer; inline images run to tens of MiB */
#define UPSTREAM_EVENT_MAX (32U << 20)  /* one SSE event */
#define UPSTREAM_ERROR_MAX (64U << 10)  /* an error body; the rest is cut */
#define UPSTREAM_MESSAGE_MAX 2048U      /* Google's message in an error, as passed on */

/* --- one stream to a client --- */
#define STREAM_HIGH_MARK (64U << 10)                    /* above it the upstream is paused */
#define STREAM_LOW_MARK (16U << 10)                     /* below it it goes on */
#define STREAM_BUFFER_MAX (2U * UPSTREAM_EVENT_MAX)     /* never reached while pausing works */

/* --- the pool --- */
#define MODELS_MAX 256U        /* a client may invent names; those that never answered are forgotten first */
#define SLOTS_MAX (1U << 20)   /* (key, model) pairs, 0.4 KiB, and 0.7 a quota; beyond, models go */
#define SLOT_ERROR_MAX 256U    /* of Google's message, kept with each of them as its last error */
#define ATTEMPTS_MAX 3U        /* keys tried for one request */
#define MODEL_LIST_MAX 4096U   /* entries of Gemini's model list */
#define MODEL_LIST_PAGES_MAX  16U     /* of a thousand each; a list that says it goes on forever ends here */
#define MODEL_LIST_ANSWER_MAX (4U << 20)      /* as it goes to clients: names and aliases come to a MiB */
#define HEDGE_MODELS_MAX 64U   /* whose first words are timed for HEDGE_AFTER=p95, 0.7 KiB each */

/* --- what is kept over restarts --- */
#define STATE_BATCH_ROWS  32768U      /* of one transaction, ~25 ms: what is urgent waits for at most one */
#define STATE_BATCH_MAX   (64U << 20) /* ~0.1 KiB a row, with the longest names and errors 1.2 */
#define STATE_ABSENT_MAX  131072U /* keys and projects of the file that are not configured, 0.1 KiB each */
#define STATE_PATH_MAX    4000U        /* PATH_MAX, and room for what is put behind it */
#define DAYBOOK_ROWS_MAX  131072U      /* 400 days of 256 models, and some; 80 bytes each */

/* --- which project served a conversation last --- */
#define AFFINITY_MAX       16384U       /* conversations, 72 bytes each; the latest ones */
#define OPENING_SEARCH_MAX (64U << 10)  /* of a request's JSON: its first message begins there */
#define OPENING_DIGEST_MAX (16U << 10)  /* of that message: what differs later is alike */

/* --- files, cached contents and uploads, and whose they are --- */
#define BINDING_ID_MAX     128U   /* behind `files/`; Google's own have 40 at most */
#define BINDINGS_MAX       16384U /* remembered at one time, 0.4 KiB each, an upload 1.4 */
#define BINDINGS_TOKEN_MAX 4096U  /* of one token: nobody takes all of them */
#define RESOURCE_LIST_MAX  100U   /* of one page: each is a question to Google */

/* --- what is told to the operator --- */
#define MANAGE_ANSWER_MAX (512U << 20) /* 100,000 keys with three models each come to 150 MiB */
#define MANAGE_NAMES_MAX 8U            /* keys that one piece of advice names before it says how many more */
#define REQUESTS_SHOWN_MAX 1024U       /* of those under way, the oldest; 0.3 KiB each */
#define CTL_OUTPUT_MAX (512U << 20)    /* what gemgatectl shows; as MANAGE_ANSWER_MAX */

/* --- around the start --- */
#define TURN_AWAY_MAX 4096U /* clients that wait at one socket of a daemon that cannot start: its backlog   \
                             */
#define SWEEP_ENTRIES_MAX 65536U /* of a directory in which a killed daemon may have left something */

/* --- D-Bus and the control socket --- */
#define BUS_CALLS_MAX        256U   /* set aside until bus and polkit say what their senders may */
#define BUS_CALLS_SENDER_MAX 32U    /* of one connection: nobody takes all of them */
#define BUS_POLKIT_MAX       32U    /* questions to polkit at one time */
#define BUS_POLKIT_USER_MAX  4U     /* of one user: one dialogue a person is plenty */
#define BUS_PEERS_MAX        16U    /* connections to the control socket */
#define BUS_QUEUE_MAX        1024U  /* messages not read yet; then signals are left out, a peer is dropped;
                                     * Reloaded has as much again */
#define BUS_ROWS_MAX         65536U /* of one answer: 16 MiB, and up to 0.3 s that nothing else is served */
#define BUS_OBJECTS_MAX      1024U  /* keys that GetManagedObjects lists: sd-bus writes them all in one go */

/* --- a job at the Gemini CLI; the protocol is base/job-protocol.h --- */
#define CLI_PROMPT_MAX  2000000U     /* of the client's text: guarded it is at most four times as long, and
                                        the CLI cuts its stdin at 8 MiB */
#define JOB_CALLS_MAX   8U           /* inner requests of one job: one is the rule, more a CLI that loops */
#define CLI_QUEUE_MAX   256U         /* jobs that wait for CLI_MAX_JOBS; each keeps its body */
#define CLI_SYSTEM_MAX  (1U << 20)   /* system texts run to tens of KiB */
#define CLI_HISTORY_MAX (4U << 20)   /* all its texts; a context window of a million tokens is about that */
#define CLI_TURNS_MAX   4096U        /* of a history */
#define CLI_LINE_MAX    (4U << 20)   /* of its output: an answer's 65,000 tokens in one piece, escaped */
#define JOB_TOKEN_MAX   512U         /* the CLI's API key; as SECRET_LENGTH_MAX */
#define JOB_LINE_MAX    (43U << 20)  /* daemon to runner: each byte of the texts escaped, and their frame */
#define JOB_TEXT_MAX    (64U << 10)  /* of the answer in one line; a longer piece comes as several lines */
#define JOB_MESSAGE_MAX 4096U        /* of the CLI's own words for an error */
#define JOB_STDERR_MAX  (16U << 10)  /* the end of what it wrote there */
#define JOB_EVENT_MAX   (512U << 10) /* runner to daemon: JOB_TEXT_MAX escaped, and its frame */

/* --- the log --- */
#define LOG_LINE_MAX (256U << 10) /* one line; LOG_BODIES is cut to fit */
#define LOG_BODY_MAX (64U << 10)  /* of a body, when LOG_BODIES asks for them */
#define LOG_FILE_BUFFER_MAX (1U << 20) /* lines that wait: for the turn's end, or for a disk to be well */
#define LOG_FILE_RETRY      (5 * USEC_PER_SEC) /* then a disk that was ill is tried again */
#define LOG_LIMIT_BURST    50U          /* lines of one kind that a stranger causes; the rest is counted */
#define LOG_LIMIT_INTERVAL (10 * USEC_PER_SEC)     /* in which as many grow back */
