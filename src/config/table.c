/* SPDX-License-Identifier: MIT */

/* The settings, one row each: the parser, --help and docs/CONFIG.md use this table. */

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
          .help = "client tokens: they give access to the model routes; without one, only admin tokens "
                  "do" },
        { "ADMIN_TOKENS", &setting_admin_tokens, "", .field = FIELD(tokens), .secret = true,
          .reloadable = true,
          .help = "admin tokens: they give access to all routes; without one the management routes are "
                  "closed" },
        { "ALLOWED_IPS", &setting_allowed_ips, "[\"127.0.0.1\",\"::1\"]", .field = FIELD(allowed_ips),
          .reloadable = true,
          .help = "the addresses that clients may connect from" },
        { "TRUSTED_PROXIES", &setting_trusted_proxies, "[]", .field = FIELD(trusted_proxies),
          .reloadable = true,
          .help = "the proxies whose X-Forwarded-For is trusted" },
        { "CORS_ORIGINS", &setting_origins, "", .field = FIELD(cors_origins), .reloadable = true,
          .help = "the origins whose web pages may use the model routes from a browser (HTTP.md)" },

        { "LISTEN", &setting_listen, "127.0.0.1:8080", .field = FIELD(listen),
          .help = "the addresses to listen on; ignored if systemd passes sockets" },
        { "CONTROL_SOCKET", &setting_socket_path, "", .field = FIELD(control_socket),
          .help = "administration without D-Bus: the path of the socket for `gemgatectl --socket`" },
        { "GEMINI_BASE_URL", &setting_url, "https://generativelanguage.googleapis.com",
          .field = FIELD(gemini_base_url), .reloadable = true,
          .help = "the URL of the Gemini API" },
        { "UPSTREAM_PROXY", &setting_upstream_proxy, "", .secret = true, .reloadable = true,
          .help = "the proxy to Gemini, instead of the environment's (ROUTING.md)" },
        { "PROJECT_PROXIES", &setting_project_proxies, "{}", .secret = true, .reloadable = true,
          .help = "the proxies of single projects" },
        { "HTTPS_PROXY", &setting_environment, "", .field = CONFIG_HTTPS_PROXY, .secret = true,
          .reloadable = true, .lower = "https_proxy",
          .help = "the proxy to Gemini if UPSTREAM_PROXY is not set; also https_proxy" },
        { "ALL_PROXY", &setting_environment, "", .field = CONFIG_ALL_PROXY, .secret = true,
          .reloadable = true, .lower = "all_proxy",
          .help = "the proxy to Gemini if HTTPS_PROXY is not set either; also all_proxy" },
        { "NO_PROXY", &setting_no_proxy, "", .field = CONFIG_NO_PROXY, .reloadable = true,
          .lower = "no_proxy",
          .help = "the hosts that HTTPS_PROXY and ALL_PROXY are not used for; also no_proxy" },
        { "UPSTREAM_CA_FILE", &setting_file, "", .field = FIELD(upstream_ca_file), .reloadable = true,
          .help = "the CAs that Gemini's certificate is verified with, instead of the system's" },
        { "GEMINI_STORE", &setting_store, "off", .field = FIELD(route.store), .reloadable = true,
          .help = "whether Google may keep requests: never, as the client or as the project has it" },
        { "DEFAULT_MODEL", &setting_model, "gemini-flash-latest", .field = FIELD(default_model),
          .reloadable = true,
          .help = "the model of a request that names none" },
        { "MODEL_ALIASES", &setting_aliases, "{}", .field = FIELD(aliases), .reloadable = true,
          .help = "other names of models, also with *, for clients that use fixed ones (MODELS.md)" },
        { "MODEL_LIMITS", &setting_limits, "{}", .field = FIELD(limits), .reloadable = true,
          .help = "Google's rate limits of a project for a model, if you know them" },
        { "MODEL_RULES", &setting_rules, "{}", .field = FIELD(route.rules), .reloadable = true,
          .may_be_file = true,
          .help = "what models take, instead of the built-in rules, and their prices (MODELS.md)" },
        { "CHAT_IMAGES", &setting_images, "images", .field = FIELD(route.chat_images), .reloadable = true,
          .help = "where images that Gemini makes are in a chat answer" },

        { "RESPONSES_STORE", &setting_responses, "memory", .field = FIELD(route.responses),
          .help = "where responses of /v1/responses are kept, for an hour" },

        { "QUEUE_WAIT", &setting_duration, "0", 0, QUEUE_WAIT_MAX,
          FIELD(route.queue_wait), .reloadable = true,
          .help = "how long a request may wait for a usable key; above 1min with STREAM_OPEN_AFTER" },
        { "STREAM_OPEN_AFTER", &setting_open, "off", 100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE,
          FIELD(route.stream_open_after), .reloadable = true,
          .help = "when to send a stream's headers and a ping if no event has come" },
        { "AFFINITY_SPILL", &setting_percent_or_off, "25%", 0, 1000,
          FIELD(route.affinity_spill), .reloadable = true,
          .help = "how much busier than the least busy project a conversation's project may be" },
        { "HEDGE_AFTER", &setting_hedge, "off", 10 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE,
          FIELD(route.hedge_after), .reloadable = true,
          .help = "when to try a second project as well, if the first has not begun to answer" },
        { "FALLBACK_MODELS", &setting_fallbacks, "{}", .field = FIELD(route.fallbacks), .reloadable = true,
          .help = "the models that serve, in order, instead of one that is exhausted or overloaded" },

        { "ENGINE", &setting_engine, "api", .field = FIELD(engine), .reloadable = true,
          .help = "what serves chat: Gemini's API or the Gemini CLI" },
        { "CLI_PATH", &setting_program, "gemini", .field = FIELD(cli_path), .reloadable = true,
          .help = "the Gemini CLI; a name is searched in /opt/gemgate-cli/bin, then in PATH" },
        { "CLI_RUNNER", &setting_runner, "auto", .field = FIELD(cli_runner), .reloadable = true,
          .help = "what runs its jobs; auto: gemgate-runner.socket if it exists, else gemgated" },
        { "CLI_TIMEOUT", &setting_duration, "900s", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(cli_timeout), .reloadable = true,
          .help = "how long a job of the Gemini CLI may take; then 504" },
        { "CLI_QUEUE_WAIT", &setting_duration, "30s", 0, USEC_PER_HOUR,
          FIELD(cli_queue_wait), .reloadable = true,
          .help = "how long a job may wait for another to end; then 429" },
        { "CLI_WARM", &setting_count, "1", 0, 16, FIELD(cli_warm), .reloadable = true,
          .help = "how many processes to start ahead while the Gemini CLI is in use" },
        { "CLI_MAX_JOBS", &setting_count, "4", 1, 64, FIELD(cli_max_jobs), .reloadable = true,
          .help = "how many jobs run at one time; more wait in order" },

        { "QUOTA_WARN_AT", &setting_percent_or_off, "80%", 1, 100, FIELD(quota_warn_at), .reloadable = true,
          .help = "the share of a day's known request limit at which a warning is logged" },
        { "FILE_SHARING", &setting_bool, "no", .field = FIELD(file_sharing), .reloadable = true,
          .help = "let all clients use the files and cached contents of each other, by name" },
        { "EXPLAIN_HEADER", &setting_bool, "no", .field = FIELD(explain_header), .reloadable = true,
          .help = "add response headers: which key served, after how many tries, and why" },

        { "LOG_LEVEL", &setting_log_level, "INFO", .field = FIELD(log_level), .reloadable = true,
          .help = "how much is logged" },
        { "LOG_FORMAT", &setting_log_format, "auto", .field = FIELD(log_format), .reloadable = true,
          .help = "the format; auto: the journal if standard error goes there, else JSON lines" },
        { "LOG_DIR", &setting_directory, "", .field = FIELD(log_dir), .reloadable = true,
          .help = "a directory for log files as well, one a day: gemgate-YYYY-MM-DD.log" },
        { "LOG_RETENTION_DAYS", &setting_count, "30", 1, 4000, FIELD(log_retention_days), .reloadable = true,
          .help = "how many log files are kept, one a day" },
        { "LOG_BODIES", &setting_bool, "no", .field = FIELD(log_bodies), .reloadable = true,
          .help = "log the bodies of requests and answers as well" },

        { "STATE_URL", &setting_state, "auto", .field = FIELD(state_url),
          .help = "where counters and health are stored; auto: in $STATE_DIRECTORY if it is set" },
        { "STATS_RETENTION_DAYS", &setting_count, "400", 1, 4000, FIELD(stats_retention_days),
          .reloadable = true,
          .help = "how many days of totals are kept, counting days with requests" },
        { "QUOTA_RESET_TIMEZONE", &setting_zone, "America/Los_Angeles", .field = FIELD(quota_reset_timezone),
          .help = "the time zone in which Google's quotas reset at midnight" },

        { "CONNECT_TIMEOUT", &setting_duration, "10s", 100 * USEC_PER_MSEC, 10 * USEC_PER_MINUTE,
          FIELD(connect_timeout), .reloadable = true,
          .help = "how long a connection to Gemini may take" },
        { "FIRST_BYTE_TIMEOUT", &setting_duration, "10min", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(first_byte_timeout), .reloadable = true,
          .help = "how long to wait for the first byte of Gemini's answer" },
        { "STREAM_IDLE_TIMEOUT", &setting_duration, "2min", 100 * USEC_PER_MSEC, USEC_PER_HOUR,
          FIELD(stream_idle_timeout), .reloadable = true,
          .help = "how long to wait for the next byte of a stream" },
        { "REQUEST_DEADLINE", &setting_duration, "20min", 100 * USEC_PER_MSEC, USEC_PER_DAY,
          FIELD(request_deadline), .reloadable = true,
          .help = "how long a request may take, with all tries" },
        { "DRAIN_TIMEOUT", &setting_duration, "30s", 0, USEC_PER_HOUR,
          FIELD(drain_timeout), .reloadable = true,
          .help = "how long open requests may continue after SIGTERM" },
        { "IDLE_EXIT", &setting_duration_or_off, "off", 100 * USEC_PER_MSEC, 365 * USEC_PER_DAY,
          FIELD(idle_exit), .reloadable = true,
          .help = "exit after this time without requests; systemd's sockets start gemgated again" },

        { "MAX_BODY", &setting_size, "32M", KIB, GIB, FIELD(max_body), .reloadable = true,
          .help = "the largest request body; above it 413" },
        { "MAX_CONNECTIONS", &setting_count, "8192", 1, MIB, FIELD(max_connections),
          .help = "how many client connections are open at one time, over all sockets" },
        { "MAX_INFLIGHT_BYTES", &setting_size, "512M", MIB, 1024 * GIB, FIELD(max_inflight_bytes),
          .reloadable = true,
          .help = "how many bytes of request bodies are held at one time; above it 503" },
};
/* clang-format on */

const size_t config_n_settings = ELEMENTSOF(config_settings);

/* The values of .env.example. They are public, so a copy with an unchanged value is refused. A test compares
 * the list with the file. */
const char *const config_examples[] = {
        "put-your-first-gemini-key-here",
        "put-your-second-gemini-key-here",
        "put-your-client-token-here",
        "put-your-admin-token-here",
        NULL,
};
