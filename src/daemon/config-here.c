/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/zone.h"
#include "daemon/config-here.h"
#include "engine/cli-program.h"
#include "io/tls.h"

#define VALUE_SHOWN_MAX  256U
#define CLI_PATH_DEFAULT "gemini"

typedef struct Teller {
        const ConfigText *text;
        ConfigSay say;
        void *userdata;
} Teller;

static void tell(const Teller *t, LogLevel level, const char *setting, const char *value, const char *what) {
        _cleanup_buf_ Buf line = BUF_INIT(4 * VALUE_SHOWN_MAX);
        char shown[VALUE_SHOWN_MAX];

        text_copy(shown, sizeof(shown), value);
        secret_scrub_suspects(shown);
        (void) buf_printf(&line, "%s: %s: must be %s", setting, shown, what);
        config_text_put_origin(t->text, setting, &line);
        t->say(level, buf_cstr(&line) ?: setting, t->userdata);
}

static const char *words_of_ca_file(int r) {
        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
                return "a file that exists";
        case -EACCES:
        case -EPERM:
                return "a file that gemgated may read";
        case -EBADMSG:
                return "a file of certificates in PEM";
        default:
                return "a regular file of certificates, of at most 8M";
        }
}

int config_here_read(const ConfigText *text, const Config *c, ConfigSay say, void *userdata) {
        const Teller t = { text, say, userdata };
        int r = c->upstream_ca_file ? tls_check_ca_file(c->upstream_ca_file) : 0;

        if (r == 0 || r == -ENOMEM)
                return r;
        tell(&t, LOG_LEVEL_ERROR, "UPSTREAM_CA_FILE", c->upstream_ca_file, words_of_ca_file(r));
        return -EINVAL;
}

int config_here_check(const ConfigText *text, const Config *c, ConfigSay say, void *userdata) {
        const Teller t = { text, say, userdata };
        _cleanup_(zone_freep) Zone *z = NULL;
        int r;

        r = zone_new(c->quota_reset_timezone, clock_realtime(), &z);
        if (r != -ENOENT)
                return r;
        tell(&t, LOG_LEVEL_ERROR, "QUOTA_RESET_TIMEZONE", c->quota_reset_timezone,
             "a time zone that is installed here (package tzdata)");
        return -EINVAL;
}

/* The Gemini CLI is asked for by ENGINE, by its own setting, or by a model. */
static bool uses_cli(const Config *c) {
        if (c->engine == CONFIG_ENGINE_CLI || !streq(c->cli_path, CLI_PATH_DEFAULT) ||
            startswith(c->default_model, "cli/"))
                return true;
        for (size_t i = 0; i < c->aliases.n_names; i++)
                if (startswith(c->aliases.names[i].model, "cli/"))
                        return true;
        for (size_t i = 0; i < c->aliases.n_patterns; i++)
                if (startswith(c->aliases.patterns[i].model, "cli/"))
                        return true;
        return false;
}

static void check_programs(const Teller *t, const Config *c) {
        const char *socket = startswith(c->cli_runner, "unix:");
        char version[CLI_VERSION_MAX];
        _cleanup_free_ char *path = NULL;

        if (cli_program_find(c->cli_path, &path, version) < 0)
                tell(t, LOG_LEVEL_WARNING, "CLI_PATH", c->cli_path,
                     c->cli_path[0] == '/' ? "a program that is installed here"
                                           : "a program that is in " CLI_PREFIX "/bin or in PATH here");
        if (socket && access(socket, F_OK) < 0)
                tell(t, LOG_LEVEL_WARNING, "CLI_RUNNER", c->cli_runner, "a socket that exists");
        else if (c->cli_runner[0] == '/' && access(c->cli_runner, X_OK) < 0)
                tell(t, LOG_LEVEL_WARNING, "CLI_RUNNER", c->cli_runner, "a program that is installed here");
}

static bool has_directory(const char *path) {
        _cleanup_free_ char *copy = strdup(path);
        char *slash = copy ? strrchr(copy, '/') : NULL;

        if (!slash || slash == copy)
                return true;
        *slash = 0;
        return access(copy, F_OK) == 0;
}

static void check_directories(const Teller *t, const Config *c) {
        const char *path = startswith(c->state_url, "sqlite:");

        if (path && !has_directory(path))
                tell(t, LOG_LEVEL_WARNING, "STATE_URL", c->state_url, "in a directory that exists");
        if (c->control_socket && !has_directory(c->control_socket))
                tell(t, LOG_LEVEL_WARNING, "CONTROL_SOCKET", c->control_socket,
                     "in a directory that exists");
        if (c->log_dir && access(c->log_dir, F_OK) < 0)
                tell(t, LOG_LEVEL_WARNING, "LOG_DIR", c->log_dir, "a directory that exists");
}

void config_here_warn(const ConfigText *text, const Config *c, bool only_check, ConfigSay say,
                      void *userdata) {
        const Teller t = { text, say, userdata };

        if (uses_cli(c))
                check_programs(&t, c);
        if (only_check)
                check_directories(&t, c);
}
