/* SPDX-License-Identifier: MIT */
#pragma once

/* The texts of the settings, before they are checked: config.h. */

#include "base/buf.h"
#include "base/log.h"
#include "base/macros.h"

/* Where a value came from: later sources win. */
typedef enum ConfigSource {
        CONFIG_SOURCE_DEFAULT,
        CONFIG_SOURCE_ENV_FILE,
        CONFIG_SOURCE_ENVIRONMENT,
        CONFIG_SOURCE_DIRECTORY,
        CONFIG_SOURCE_CREDENTIAL,
        CONFIG_SOURCE_NAMED, /* the file that the value names: config_text_path() */
        _CONFIG_SOURCE_MAX,
} ConfigSource;

/* Receives the messages about a configuration: one line each, without secrets. */
typedef void (*ConfigSay)(LogLevel level, const char *line, void *userdata);

/* The name of the i'th setting; NULL after the last. */
const char *config_setting_name(size_t i, bool *ret_secret);
const char *config_setting_lower(size_t i); /* its other name, in lower case, which comes first; or NULL */

/* The texts of the settings before they are checked. Holds secrets and wipes them. */
typedef struct ConfigText ConfigText;
int config_text_new(ConfigText **ret);
ConfigText *config_text_free(ConfigText *t);
DEFINE_CLEANUP(ConfigText *, config_text_free);

/* Sets one setting; an empty value means the default. -ENOENT: there is no setting of that name. */
int config_text_set(ConfigText *t, ConfigSource source, const char *name, const char *value, size_t n);
/* The same, from that file, which messages name; `line` is where the value begins, or 0: it is all of it. */
int config_text_set_from(ConfigText *t, ConfigSource source, const char *name, const char *value, size_t n,
                         const char *file, unsigned line);
/* ` (FILE:LINE)` of the value that counts, if it is from a file. */
void config_text_put_origin(const ConfigText *t, const char *name, Buf *out);
/* The setting's unchecked text from that source, or NULL. May be secret. */
const char *config_text_get_raw(const ConfigText *t, ConfigSource source, const char *name, size_t *ret_n);
void config_text_forget(ConfigText *t, ConfigSource source); /* before it is read again */
/* The path of the file that has the i'th setting, without the source NAMED; malloc'ed, or NULL. -ENOMEM. */
int config_text_path(const ConfigText *t, size_t i, char **ret);

/* Reads a .env file's text. A wrong line, and a name that is nearly a setting's, are errors to `say`, with
 * the line's number; the other lines are still read, and the result is -EBADMSG. Another unknown name is a
 * warning; if `portable`, so is a line that systemd's EnvironmentFile= or compose's env_file would read
 * differently. */
int config_text_read_env(ConfigText *t, const char *text, size_t n, const char *file, bool portable,
                         ConfigSay say, void *userdata);
