/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "runner/command.h"
#include "runner/scratch.h"

/* V8 stops here instead of taking all memory of the machine. The longest job that the CLI accepts needs 350
 * MB in all. */
#define HEAP "--max-old-space-size=512"

void command_done(Command *c) {
        for (size_t i = 0; i < COMMAND_ARGS_MAX; i++)
                free(c->argv[i]);
        for (size_t i = 0; i < COMMAND_ENV_MAX; i++)
                free(c->env[i]);
        free(c->folder);
}

/* Appends to a list that stays NULL-terminated. */
static int add(char **list, size_t max, const char *fmt, ...) _printf_(3, 4);
static int add(char **list, size_t max, const char *fmt, ...) {
        va_list ap;
        size_t n = 0;
        int r;

        while (list[n])
                n++;
        if (n + 1 >= max)
                return -E2BIG;
        va_start(ap, fmt);
        r = vasprintf(list + n, fmt, ap);
        va_end(ap);
        if (r < 0)
                list[n] = NULL;
        return r < 0 ? -ENOMEM : 0;
}

static int make_argv(const Place *p, const char *scratch, bool dialogue, char **argv) {
        const char *const fixed[] = {
                p->node, HEAP, p->entry, "-m", "gemini-2.5-flash", "-o", "stream-json"
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fixed) && r >= 0; i++)
                r = add(argv, COMMAND_ARGS_MAX, "%s", fixed[i]);
        if (r >= 0 && dialogue)
                r = add(argv, COMMAND_ARGS_MAX, "--session-file");
        if (r >= 0 && dialogue)
                r = add(argv, COMMAND_ARGS_MAX, "%s/" SCRATCH_SESSION, scratch);
        return r;
}

static int make_env(const char *scratch, const char *token, uint16_t port, char **env) {
        /* PATH leads nowhere: the CLI does without what it searches there (git, mostly). NO_COLOR and the
         * two after it belong together: any other value would make the CLI warn on stderr. */
        static const char *const fixed[] = {
                "PATH=/nonexistent", "LANG=C.UTF-8",        "NO_COLOR=1",
                "TERM=dumb",         "COLORTERM=truecolor", "GEMINI_CLI_NO_RELAUNCH=1",
        };
        static const struct {
                const char *name, *file;
        } files[] = {
                { "HOME", "home" },
                { "TMPDIR", "tmp" },
                { "GEMINI_SYSTEM_MD", SCRATCH_SYSTEM },
                { "GEMINI_EXP", "exp.json" },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(fixed) && r >= 0; i++)
                r = add(env, COMMAND_ENV_MAX, "%s", fixed[i]);
        for (size_t i = 0; i < ELEMENTSOF(files) && r >= 0; i++)
                r = add(env, COMMAND_ENV_MAX, "%s=%s/%s", files[i].name, scratch, files[i].file);
        if (r >= 0)
                r = add(env, COMMAND_ENV_MAX, "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:%u", port);
        if (r >= 0)
                r = add(env, COMMAND_ENV_MAX, "GEMINI_API_KEY=%s", token);
        return r;
}

int command_make(const Place *p, const char *scratch, const char *token, bool dialogue, uint16_t port,
                 Command *ret) {
        _cleanup_(command_done) Command c = {};
        int r;

        r = make_argv(p, scratch, dialogue, c.argv);
        if (r >= 0)
                r = make_env(scratch, token, port, c.env);
        if (r < 0)
                return r;
        if (asprintf(&c.folder, "%s/work", scratch) < 0) {
                c.folder = NULL;
                return -ENOMEM;
        }
        *ret = c;
        c = (Command){};
        return 0;
}
