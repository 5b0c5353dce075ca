/* SPDX-License-Identifier: MIT */

/*
 * gemgatectl. A verb is a row of the table below, which also makes --help and the shells' completion. A verb
 * fills `out`, which is shown when the verb is done.
 */

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "ctl/agent.h"
#include "ctl/options.h"
#include "ctl/table.h"

/* clang-format off */
const Verb ctl_verbs[] = {
        { "status", "", "the state of the daemon, and what needs attention",
          0, 0, VERB_NO_START, "", verb_status },
        { "keys", "", "the keys, their state and their last error",
          0, 0, 0, "", verb_keys },
        { "show", "KEY", "one key, with each model that it was used for",
          1, 1, 0, "k", verb_show },
        { "models", "", "the models, and how many keys can serve them",
          0, 0, 0, "", verb_models },
        { "stats", "[--days=N]", "requests, attempts and errors, by model and by key, or by day",
          0, 0, VERB_DAYS, "", verb_stats },
        { "requests", "", "the open requests, the oldest first",
          0, 0, VERB_NO_START, "", verb_requests },
        { "explain", "[MODEL]", "which key would be picked, and why not the others",
          0, 1, 0, "m", verb_explain },
        { "reset", "KEY [MODEL] | --all [MODEL]", "lift the blocks of keys and models",
          0, 2, VERB_ALL, "km", verb_reset },
        { "enable", "KEY...", "use these keys again",
          1, UINT_MAX, 0, "k", verb_enable },
        { "disable", "KEY...", "stop using these keys until they are enabled",
          1, UINT_MAX, 0, "k", verb_disable },
        { "test", "[KEY | --all]", "ask Google whether it takes the keys",
          0, 1, VERB_ALL, "k", verb_test },
        { "reload", "", "read the configuration again",
          0, 0, VERB_NO_START, "", verb_reload },
        { "log-level", "[LEVEL]", "show or set the log level, until a restart or reload",
          0, 1, VERB_NO_START, "l", verb_log_level },
        { "monitor", "", "show events of keys as they happen",
          0, 0, VERB_NO_START, "", verb_monitor },
        { "check-config", "[FILE]", "check the configuration, or an env file or directory",
          0, 1, VERB_OFFLINE, "f", verb_check_config },
        { "version", "", "show the versions of gemgatectl and the daemon",
          0, 0, VERB_NO_START, "", verb_version },
        { "help", "[VERB]", "show this help, or a verb's line of it",
          0, 1, VERB_OFFLINE, "v", verb_help },
        { "_complete", "", "",
          1, 2, VERB_NO_START | VERB_HIDDEN, "", verb_complete },
};
/* clang-format on */

const size_t ctl_n_verbs = ELEMENTSOF(ctl_verbs);

/* A daemon's sentence can contain a client's text, and can have several lines; each line gets the prefix. */
int ctl_say(const Ctl *c, int status, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int n;

        if (c->quiet)
                return status;
        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                (void) fputs("gemgatectl: out of memory\n", stderr);
                return status;
        }
        for (char *line = text, *next; line; line = next) {
                _cleanup_free_ char *clean = NULL;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                clean = table_clean(line);
                if (!strnull(clean))
                        (void) fprintf(stderr, "gemgatectl: %s\n", clean);
        }
        return status;
}

int ctl_oom(const Ctl *c) {
        return ctl_say(c, CTL_FAILED, "out of memory");
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ctl_n_verbs; i++)
                if (streq(ctl_verbs[i].name, name))
                        return ctl_verbs + i;
        return NULL;
}

static int refuse_verb(const Ctl *c, const char *name) {
        const char *near = options_nearest(name, ctl_verbs, ctl_n_verbs, sizeof(Verb));

        return ctl_say(c, CTL_USAGE, "%s: must be a verb%s%s; gemgatectl help lists them", name,
                       near ? ", such as " : "", strempty(near));
}

static void help_verb(Buf *out, const Verb *v) {
        char left[64];

        (void) snprintf(left, sizeof(left), "%s %s", v->name, v->args);
        (void) buf_printf(out, "  %-36s %s\n", left, v->help);
}

static void help_options(Buf *out) {
        for (size_t i = 0; i < ctl_n_options; i++) {
                const Option *o = ctl_options + i;
                char letter[8] = "    ", left[64];

                if (o->letter)
                        (void) snprintf(letter, sizeof(letter), "-%c, ", o->letter);
                (void) snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? "=" : "",
                                strempty(o->arg));
                (void) buf_printf(out, "  %-36s %s\n", left, o->help);
        }
}

int verb_help(Ctl *c, unsigned n, char *args[]) {
        if (n > 0) {
                const Verb *v = find_verb(args[0]);

                if (!v)
                        return refuse_verb(c, args[0]);
                help_verb(&c->out, v);
                return CTL_OK;
        }
        (void) buf_puts(&c->out, "Usage: gemgatectl [OPTION]... [VERB [ARGUMENT]...]\n"
                                 "Controls gemgated. Without a verb: status.\n\nVerbs:\n");
        for (size_t i = 0; i < ctl_n_verbs; i++)
                if (!(ctl_verbs[i].flags & VERB_HIDDEN))
                        help_verb(&c->out, ctl_verbs + i);
        (void) buf_puts(&c->out, "\nOptions:\n");
        help_options(&c->out);
        (void) buf_puts(&c->out,
                        "\nKEY is a key's name, its ID, or its mask.\nSee gemgatectl(1) for details.\n");
        return CTL_OK;
}

static int run_verb(Ctl *c, const Verb *v, unsigned n, char *args[]) {
        c->verb = v;
        if (n < v->min || n > v->max)
                return ctl_say(c, CTL_USAGE, "%s: usage: gemgatectl %s%s%s",
                               n < v->min ? "too few arguments" : "too many arguments", v->name,
                               *v->args ? " " : "", v->args);
        if (c->all && !(v->flags & VERB_ALL))
                return ctl_say(c, CTL_USAGE, "%s: does not take --all", v->name);
        if (c->days && !(v->flags & VERB_DAYS))
                return ctl_say(c, CTL_USAGE, "%s: does not take --days", v->name);
        if ((c->host || c->machine) && v->flags & VERB_OFFLINE && v->run == verb_check_config)
                return ctl_say(c, CTL_USAGE,
                               "check-config reads files of this machine: no --host, --machine or --socket");
        return v->run(c, n, args);
}

static int run(Ctl *c, int argc, char *argv[]) {
        const char *name;
        const Verb *v;
        int r, first;

        r = options_parse(c, argc, argv, &first, &name);
        if (r != 0)
                return r;
        if (c->full)
                c->screen.columns = UINT_MAX;
        if (!name)
                name = first < argc ? argv[first++] : "status";
        else
                first = argc; /* --help and --version need nothing else */
        v = find_verb(name);
        if (!v)
                return refuse_verb(c, name);
        return run_verb(c, v, (unsigned) (argc - first), argv + first);
}

int main(int argc, char *argv[]) {
        Ctl c = { .out = BUF_INIT(CTL_OUTPUT_MAX) };
        int r, status;

        screen_init(&c.screen);
        status = run(&c, argc, argv);
        if (c.json && c.out.n > 0 && buf_data(&c.out)[c.out.n - 1] != '\n')
                (void) buf_putc(&c.out, '\n');
        r = screen_show(&c.screen, &c.out, !c.no_pager && !c.json);
        if (r < 0 && status == CTL_OK)
                status = ctl_say(&c, CTL_FAILED, "cannot show the answer: %s", strerror(-r));
        agent_stop();
        (void) sd_bus_flush_close_unref(c.bus);
        buf_done(&c.out);
        return status;
}
