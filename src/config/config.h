/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The settings: one table (config/table.c) of name, type, default, bounds, secret?, reloadable?, one line of
 * help. It gives the parser, --help, --check-config and docs/CONFIG.md. Pure: text in, Config out;
 * daemon/config-load reads the files.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proxy.h"
#include "core/aliases.h"
#include "core/ceiling.h"
#include "core/cidr.h"
#include "config/route.h"
#include "config/text.h"
#include "core/origin.h"
#include "core/token.h"

typedef struct Config Config;

typedef struct KeyConfig {
        Secret *secret;
        char *name, *project; /* or NULL */
        Proxy *proxy; /* if it has no project: its own; or NULL */
        bool disabled;
} KeyConfig;

typedef enum ConfigLogFormat {
        CONFIG_LOG_AUTO, /* the journal if standard error is connected to it, else JSON lines */
        CONFIG_LOG_JOURNAL,
        CONFIG_LOG_JSON,
        CONFIG_LOG_TEXT,
} ConfigLogFormat;

typedef enum ConfigEngine { CONFIG_ENGINE_API, CONFIG_ENGINE_CLI /* for chat only */ } ConfigEngine;

/* A reload replaces the Config: code that keeps a pointer into it keeps a reference. */
struct Config {
        unsigned n_ref;
        char **fixed; /* texts of the settings that are fixed until a restart; NULL for the others */
        uint64_t *hashes; /* of each setting's text, to name those that a reload has changed */
        KeyConfig *keys;
        size_t n_keys;
        TokenSet tokens;
        CidrSet allowed_ips, trusted_proxies;
        OriginSet cors_origins;
        char **listen;         /* NULL-terminated: `127.0.0.1:8080`, `[::]:8080`, `unix:/path` */
        char *control_socket, *log_dir; /* paths, or NULL */
        char *gemini_base_url; /* without a slash at the end */
        char *upstream_ca_file; /* a path, or NULL: the system's CAs */
        bool upstream_warm;
        Proxy *proxy; /* to Gemini, for keys without another one; NULL: directly */
        ProjectProxy *project_proxies; /* sorted; of PROJECT_PROXIES and API_KEYS */
        size_t n_project_proxies;
        char *default_model;   /* without `models/` */
        AliasSet aliases;      /* MODEL_ALIASES */
        RouteConfig route;
        CeilingRow *limits; /* MODEL_LIMITS */
        size_t n_limits;
        bool explain_header, file_sharing;
        uint64_t quota_warn_at; /* percent; 0: off */
        LogLevel log_level;
        ConfigLogFormat log_format;
        bool log_bodies;
        ConfigEngine engine;
        char *cli_path, *cli_runner;
        usec_t cli_timeout, cli_queue_wait;
        uint64_t cli_warm, cli_max_jobs, stats_retention_days, log_retention_days;
        char *state_url; /* `auto`, `memory:` or `sqlite:/path` */
        char *quota_reset_timezone;
        usec_t connect_timeout, first_byte_timeout, stream_idle_timeout, request_deadline, drain_timeout;
        usec_t idle_exit; /* 0: never */
        uint64_t max_body, max_upload, max_connections, max_inflight_bytes;
        uint64_t max_live, live_max_message; /* of the Live API; 0 sessions: off */
        usec_t live_deadline, live_idle_timeout;
};

/* Checks everything and makes the Config. Each fault is one line `SETTING: value: must be …` to `say` at
 * LOG_LEVEL_ERROR; then -EINVAL. A key given twice is one key and a warning. */
int config_new(const ConfigText *t, ConfigSay say, void *userdata, Config **ret);
Config *config_ref(Config *c);
Config *config_unref(Config *c);
bool config_drop_keys(Config *c, size_t n); /* frees n keys, which nothing needs; true: there are more */
DEFINE_CLEANUP(Config *, config_unref);

/* The names of the settings whose texts differ, separated by commas; without API_KEYS. */
void config_name_changes(const Config *a, const Config *b, Buf *ret);

/* For a reload, after the check: the settings in *c that are fixed until a restart get back their values
 * from `running`. Puts the names of those that differed into `differ`, separated by commas. */
int config_keep_fixed(const ConfigText *t, const Config *running, ConfigSay say, void *userdata, Buf *differ,
                      Config **c);

/* The model that the name is an alias of, or the name itself. It may be `cli/…`, but never an alias. */
const char *config_alias(const Config *c, const char *model);
bool config_listens_beyond_loopback(const Config *c); /* true if any address of LISTEN is */

#define CONFIG_REFUSAL_MAX 320U
/* True, with the fault, if the tokens are too few or too weak for a listener beyond loopback. */
bool config_refuses(const Config *c, const char *listener, char ret[static CONFIG_REFUSAL_MAX]);

const char *config_token_warning(const Config *c); /* NULL: there are tokens, or no keys to use by them */

void config_help(Buf *out); /* the settings part of --help */
void config_markdown(Buf *out); /* docs/CONFIG.md */
