/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of config: the row of the table of settings, and the state of a check. */

#include "config/config.h"
#include "config/proxies.h"


/* The type of a setting's value. */
typedef struct SettingType {
        const char *allowed; /* what follows "must be" in a message, such as "a duration"; the bounds are
                              * appended */
        /* Puts the value into s's field of k->config. A wrong value is reported by config_fault() and still
         * returns 0, so that the other faults are found, too. `value` is never empty. -ENOMEM. */
        int (*parse)(ConfigCheck *k, const Setting *s, const char *value);
        void (*show_bound)(uint64_t bound, Buf *out); /* NULL: such values have no bounds */
} SettingType;

struct Setting {
        const char *name;
        const SettingType *type;
        const char *initial; /* the default as written in a file; "": none */
        uint64_t min, max;   /* in the unit of the field */
        size_t field;        /* its place in Config; a ConfigProxyText */
        bool secret;         /* its value is never shown */
        bool reloadable;     /* can change while the daemon runs */
        bool may_be_file;    /* its value may be the absolute path of a file that has it */
        const char *lower;   /* the same variable in lower case, which comes first; or NULL */
        const char *help;    /* one line */
};

extern const Setting config_settings[];
extern const size_t config_n_settings;

#define SETTING_NAME_MAX 63U

const Setting *config_setting(const char *name); /* or NULL */
/* The setting whose name differs in at most two letters; or NULL. */
const Setting *config_setting_near(const char *name, size_t n);

/* The keys and tokens that .env.example shows; NULL-terminated. */
extern const char *const config_examples[];

struct ConfigCheck {
        Config *config;
        const Config *running; /* at a reload: where the fixed settings get their texts from; or NULL */
        ConfigSay say;
        void *userdata;
        size_t n_faults, n_warnings;
        bool *faulty; /* one for each setting */
        const struct ConfigValue **values; /* the same: what it was read from; NULL: the default */
        unsigned line; /* in the value, of the entry that is read; 0: of none */
        const Setting *full; /* whose list has too many entries, which is reported once */
        bool is_default; /* the value is the default */
        bool lines; /* the value comes from its own file, in which # begins a comment */
        const char *path; /* of the file that the value names and whose text it is; or NULL */
        const char *proxies[_CONFIG_PROXY_TEXT_MAX]; /* borrowed from the ConfigText; or NULL */
        ProxySet *proxy_set; /* see config/proxies.c */
};

/* Reports `SETTING: value: must be … (FILE:LINE)`. config_fault() counts; `shown` must not be secret. `fmt`
 * NULL: "must be " and the setting's `allowed`. */
void config_fault(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) _printf_(4, 5);
void config_warn(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) _printf_(4, 5);
void config_note(ConfigCheck *k, const Setting *s, const char *shown, const char *fmt, ...) _printf_(4, 5);
void config_allowed(const Setting *s, Buf *out);

/* Types of one value (config/value.c) and of several (config/list.c, keys.c, limits.c, rules.c); the entries
 * of the latter come from config/entries.c. */
extern const SettingType setting_duration, setting_duration_or_off, setting_size, setting_count,
        setting_bool, setting_log_level, setting_log_format, setting_url, setting_model, setting_state,
        setting_zone, setting_socket_path, setting_directory, setting_file, setting_engine, setting_store,
        setting_program, setting_runner,
        setting_percent_or_off, setting_hedge, setting_open, setting_images, setting_responses;
extern const SettingType setting_allowed_ips, setting_trusted_proxies, setting_listen, setting_aliases,
        setting_fallbacks, setting_limits, setting_rules, setting_origins;
extern const SettingType setting_keys, setting_tokens, setting_admin_tokens;
extern const SettingType setting_upstream_proxy, setting_project_proxies, setting_environment,
        setting_no_proxy;

void config_check_fallbacks(ConfigCheck *k); /* after all settings were read */
int config_check_tokens(ConfigCheck *k);     /* the same; -ENOMEM */
void config_check_exposed(ConfigCheck *k);   /* the same, if LISTEN goes beyond loopback */
void config_rules_done(ModelRuleSet *set);

bool config_label_is_valid(const char *s, size_t n); /* the name of a key, token or project */

/* One entry of a list: a text, or a JSON object. Only keys and tokens have labels and objects. */
typedef struct ListEntry {
        size_t number; /* from 1 */
        const char *text;
        size_t n;
        const char *label; /* before the text, or NULL */
        struct json_object *object; /* instead of a text */
} ListEntry;

/* Calls `fn` for each entry of a JSON array, or of a list separated by commas or lines. */
typedef int (*ListFn)(ConfigCheck *k, const Setting *s, const ListEntry *e);
int config_each_entry(ConfigCheck *k, const Setting *s, const char *value, ListFn fn);

/* Calls `fn` for each member of a JSON object; reports a value that is not one. */
typedef int (*MemberFn)(ConfigCheck *k, const Setting *s, const char *name, struct json_object *o);
int config_each_member(ConfigCheck *k, const Setting *s, const char *value, MemberFn fn);

/* Parses a setting's JSON. -EBADMSG, -ENOMEM. The destructor wipes the strings. */
int config_json(const char *text, struct json_object **ret);
void config_json_freep(struct json_object **o);
