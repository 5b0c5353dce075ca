/* SPDX-License-Identifier: MIT */

/* The settings. A row is everything there is to say of one: the parser, --help and docs/CONFIG.md come from
 * here. */

#include "config/internal.h"

#define FIELD(f) offsetof(Config, f)
#define KIB      (1ULL << 10)
#define MIB      (1ULL << 20)
#define GIB      (1ULL << 30)

/* clang-format off */
const Setting config_settings[] = {
        { "API_KEYS", &setting_keys, "", .field = FIELD(keys), .secret = true, .reloadable = true,
          .help = "the Gemini API keys of the pool" },
        { "ALLOWED_TOKENS", &setting_tokens, "", .field = FIELD(tokens), .secret = true, .reloadable = true,
          .help = "tokens that open the model routes; without one every request there is refused" },
        { "ADMIN_TOKENS", &setting_admin_tokens, "", .field = FIELD(tokens), .secret = true,
          .reloadable = true,
          .help = "tokens that open everything; without one the management routes are closed" },
        { "ALLOWED_IPS", &setting_allowed_ips, "[\"127.0.0.1\",\"::1\"]", .field = FIELD(allowed_ips),
          .reloadable = true,
          .help = "where clients may come from" },
        { "TRUSTED_PROXIES", &setting_trusted_proxies, "[]", .field = FIELD(trusted_proxies),
          .reloadable = true,
          .help = "proxies whose X-Forwarded-For is believed" },

        { "LISTEN", &setting_listen, "127.0.0.1:8080", .field = FIELD(listen),
          .help = "where to listen; sockets that systemd passes come before it" },
        { "CONTROL_SOCKET", &setting_socket_path, "", .field = FIELD(control_socket),
          .help = "the administration without a bus: the path of a socket for `gemgatectl --socket`" },
        { "GEMINI_BASE_URL", &setting_url, "https://generativelanguage.googleapis.com",
          .field = FIELD(gemini_base_url), .reloadable = true,
          .help = "the Gemini API" },
        { "DEFAULT_MODEL", &setting_model, "gemini-flash-latest", .field = FIELD(default_model),
          .reloadable = true,
          .help = "the model when a request names none" },
        { "MODEL_ALIASES", &setting_aliases, "{}", .field = FIELD(aliases), .reloadable = true,
          .help = "other names of models, for clients that insist on theirs" },
        { "MODEL_LIMITS", &setting_limits, "{}", .field = FIELD(limits), .reloadable = true,
          .help = "the rates that Google gives a project for a model, where you know them" },

        { "QUEUE_WAIT", &setting_duration, "0", 0, USEC_PER_MINUTE,
          FIELD(route.queue_wait), .reloadable = true,
          .help = "how long a request may wait, in order, until a key frees; 429 beyond" },
        { "AFFINITY_SPILL", &setting_percent_or_off, "25%", 0, 1000,
          FIELD(route.affinity_spill), .reloadable = true,
          .help = "how much busier than another a conversation's project may be before it is left" },
        { "HEDGE_AFTER", &setting_hedge, "off", 10 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE,
          FIELD(route.hedge_after), .reloadable = true,
          .help = "when to try a second project beside one that has not begun to answer" },
        { "FALLBACK_MODELS", &setting_fallbacks, "{}", .field = FIELD(route.fallbacks), .reloadable = true,
          .help = "which models serve instead, in order, when one is exhausted or overloaded" },

        { "ENGINE", &setting_engine, "api", .field = FIELD(engine), .reloadable = true,
          .help = "how chat is served: by Gemini's API, or by way of the Gemini CLI" },
        { "CLI_PATH", &setting_program, "gemini", .field = FIELD(cli_path), .reloadable = true,
          .help = "the Gemini CLI; a name is looked for in /opt/gemgate-cli/bin, then in PATH" },
        { "CLI_RUNNER", &setting_runner, "auto", .field = FIELD(cli_runner), .reloadable = true,
          .help = "who runs its jobs; auto: gemgate-runner.socket if it is there, else gemgated" },
        { "CLI_TIMEOUT", &setting_duration, "900s", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(cli_timeout), .reloadable = true,
          .help = "how long a job may take; 504 beyond" },
        { "CLI_QUEUE_WAIT", &setting_duration, "30s", 0, USEC_PER_HOUR,
          FIELD(cli_queue_wait), .reloadable = true,
          .help = "how long a job may wait for another to end; 429 beyond" },
        { "CLI_WARM", &setting_count, "1", 0, 16, FIELD(cli_warm), .reloadable = true,
          .help = "processes started ahead while the Gemini CLI is in use" },
        { "CLI_MAX_JOBS", &setting_count, "4", 1, 64, FIELD(cli_max_jobs), .reloadable = true,
          .help = "jobs at one time; more wait in order" },

        { "QUOTA_WARN_AT", &setting_percent_or_off, "80%", 1, 100, FIELD(quota_warn_at), .reloadable = true,
          .help = "the share of a day's requests, where known, at which a warning goes out" },
        { "EXPLAIN_HEADER", &setting_bool, "no", .field = FIELD(explain_header), .reloadable = true,
          .help = "say in the headers of an answer which key served, after how many tries, and why" },

        { "LOG_LEVEL", &setting_log_level, "INFO", .field = FIELD(log_level), .reloadable = true,
          .help = "how much is logged" },
        { "LOG_FORMAT", &setting_log_format, "auto", .field = FIELD(log_format), .reloadable = true,
          .help = "auto: the journal when standard error goes there, else JSON lines" },
        { "LOG_DIR", &setting_directory, "", .field = FIELD(log_dir), .reloadable = true,
          .help = "write the log there too: a directory with one file a day, gemgate-YYYY-MM-DD.log" },
        { "LOG_RETENTION_DAYS", &setting_count, "30", 1, 4000, FIELD(log_retention_days), .reloadable = true,
          .help = "how many days such files are kept" },
        { "LOG_BODIES", &setting_bool, "no", .field = FIELD(log_bodies), .reloadable = true,
          .help = "log the bodies of requests and answers too" },

        { "STATE_URL", &setting_state, "auto", .field = FIELD(state_url),
          .help = "where counters and health are kept; auto: in $STATE_DIRECTORY if there is one" },
        { "STATS_RETENTION_DAYS", &setting_count, "400", 1, 4000, FIELD(stats_retention_days),
          .reloadable = true,
          .help = "how many days' totals are kept" },
        { "QUOTA_RESET_TIMEZONE", &setting_zone, "America/Los_Angeles", .field = FIELD(quota_reset_timezone),
          .help = "where midnight begins a new day of Google's quotas" },

        { "CONNECT_TIMEOUT", &setting_duration, "10s", 100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE,
          FIELD(connect_timeout), .reloadable = true,
          .help = "how long connecting to Gemini may take" },
        { "FIRST_BYTE_TIMEOUT", &setting_duration, "10min", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(first_byte_timeout), .reloadable = true,
          .help = "how long Gemini may think before its answer begins" },
        { "STREAM_IDLE_TIMEOUT", &setting_duration, "2min", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(stream_idle_timeout), .reloadable = true,
          .help = "how long a stream that has begun may be silent" },
        { "REQUEST_DEADLINE", &setting_duration, "20min", 100 * USEC_PER_MSEC, USEC_PER_DAY,
          FIELD(request_deadline), .reloadable = true,
          .help = "how long a request may take, with all its tries" },
        { "DRAIN_TIMEOUT", &setting_duration, "30s", 0, USEC_PER_HOUR,
          FIELD(drain_timeout), .reloadable = true,
          .help = "how long open requests may go on after SIGTERM" },
        { "IDLE_EXIT", &setting_duration_or_off, "off", 100 * USEC_PER_MSEC, 365 * USEC_PER_DAY,
          FIELD(idle_exit), .reloadable = true,
          .help = "end when nothing was asked for so long; systemd's sockets bring it back" },

        { "MAX_BODY", &setting_size, "32M", KIB, GIB, FIELD(max_body), .reloadable = true,
          .help = "the largest request; 413 beyond" },
        { "MAX_CONNECTIONS", &setting_count, "8192", 1, MIB, FIELD(max_connections),
          .help = "client connections at one time" },
        { "MAX_INFLIGHT_BYTES", &setting_size, "512M", MIB, 1024 * GIB, FIELD(max_inflight_bytes),
          .reloadable = true,
          .help = "request bodies held at one time, all together; 503 beyond" },
};
/* clang-format on */

const size_t config_n_settings = ELEMENTSOF(config_settings);

/* Whoever copies .env.example and forgets to put his own here would share them with the whole world. A test
 * holds the list against the file. */
const char *const config_examples[] = {
        "put-your-first-gemini-key-here",
        "put-your-second-gemini-key-here",
        "put-your-client-token-here",
        "put-your-admin-token-here",
        NULL,
};
