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

#define VALUE_SHOWN_MAX  256U
#define CLI_PATH_DEFAULT "gemini"

static void tell(LogLevel level, const char *setting, const char *value, const char *what, ConfigSay say,
                 void *userdata) {
        char shown[VALUE_SHOWN_MAX], line[2 * VALUE_SHOWN_MAX];

        text_copy(shown, sizeof(shown), value);
        secret_scrub_suspects(shown);
        (void) snprintf(line, sizeof(line), "%s: %s: must be %s", setting, shown, what);
        say(level, line, userdata);
}

int config_here_check(const Config *c, ConfigSay say, void *userdata) {
        _cleanup_(zone_freep) Zone *z = NULL;
        int r;

        r = zone_new(c->quota_reset_timezone, clock_realtime(), &z);
        if (r != -ENOENT)
                return r;
        tell(LOG_LEVEL_ERROR, "QUOTA_RESET_TIMEZONE", c->quota_reset_timezone,
             "a time zone that is installed here (package tzdata)", say, userdata);
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

void config_here_warn(const Config *c, ConfigSay say, void *userdata) {
        const char *socket = startswith(c->cli_runner, "unix:");
        char version[CLI_VERSION_MAX];
        _cleanup_free_ char *path = NULL;

        if (!uses_cli(c))
                return;
        if (cli_program_find(c->cli_path, &path, version) < 0)
                tell(LOG_LEVEL_WARNING, "CLI_PATH", c->cli_path,
                     c->cli_path[0] == '/' ? "a program that is installed here"
                                           : "a program that is in " CLI_PREFIX "/bin or in PATH here",
                     say, userdata);
        if (socket && access(socket, F_OK) < 0)
                tell(LOG_LEVEL_WARNING, "CLI_RUNNER", c->cli_runner, "a socket that exists", say, userdata);
        else if (c->cli_runner[0] == '/' && access(c->cli_runner, X_OK) < 0)
                tell(LOG_LEVEL_WARNING, "CLI_RUNNER", c->cli_runner, "a program that is installed here", say,
                     userdata);
}
