/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>

#include "base/near.h"
#include "base/text.h"
#include "ctl/options.h"

#define OPTIONS_MAX 16U
#define LETTERLESS  256 /* getopt's value of the first option without a letter */

/* clang-format off */
const Option ctl_options[] = {
        { "host", "[USER@]HOST", "the daemon on another host, by ssh", 'H', offsetof(Ctl, host) },
        { "machine", "CONTAINER", "the daemon in a local container", 'M', offsetof(Ctl, machine) },
        { "socket", "PATH", "the daemon's own socket (CONTROL_SOCKET)", 0, offsetof(Ctl, socket) },
        { "all", NULL, "reset: every key", 'a', offsetof(Ctl, all) },
        { "days", "N", "stats: the totals of each of the last N days", 'd', offsetof(Ctl, days) },
        { "json", NULL, "print one JSON document, for programs", 'j', offsetof(Ctl, json) },
        { "full", NULL, "do not fit text to the width of the terminal", 'l', offsetof(Ctl, full) },
        { "no-pager", NULL, "do not use a pager", 0, offsetof(Ctl, no_pager) },
        { "help", NULL, "show this help and exit", 'h', 0 },
        { "version", NULL, "show the version and exit", 0, 0 },
};
/* clang-format on */

const size_t ctl_n_options = ELEMENTSOF(ctl_options);

_Static_assert(ELEMENTSOF(ctl_options) < OPTIONS_MAX, "getopt's table must end");
_Static_assert(offsetof(Option, name) == 0 && offsetof(Verb, name) == 0, "see options_nearest()");

const char *options_nearest(const char *typed, const void *rows, size_t n, size_t size) {
        Near near = { typed, strlen(typed) < 5 ? 2 : 3, NULL }; /* a short name is near to too many others */

        for (size_t i = 0; i < n; i++) {
                const char *name = *(const char *const *) (const void *) ((const char *) rows + i * size);

                if (*name != '_') /* hidden */
                        (void) near_try(&near, name);
        }
        return near.name;
}

static const char *take(Ctl *c, const Option *o) {
        char *at = (char *) c + o->offset;

        if (o->offset == 0)
                return o->name;
        if (o->arg)
                *(const char **) (void *) at = optarg;
        else
                *(bool *) at = true;
        return NULL;
}

/* What getopt would print itself, beginning with the path of this program. `argument`: the one that it was
 * at. optopt is the letter or the value of an option, or 0 if the name of it is not known. */
static int refuse(const Ctl *c, bool without_value, const char *argument) {
        const char *name, *near = NULL;
        char shown[80], typed[TEXT_NEAR_MAX + 1];

        (void) snprintf(shown, sizeof(shown), "-%c", optopt);
        for (size_t i = 0; i < ctl_n_options; i++)
                if (optopt == LETTERLESS + (int) i)
                        (void) snprintf(shown, sizeof(shown), "--%s", ctl_options[i].name);
        if (without_value)
                return ctl_say(c, CTL_USAGE, "%s: must have a value; see --help", shown);
        if (optopt >= LETTERLESS)
                return ctl_say(c, CTL_USAGE, "%s: must have no value; see --help", shown);
        if (optopt == 0) {
                name = startswith(argument, "--") ?: argument;
                (void) snprintf(typed, sizeof(typed), "%.*s", (int) strcspn(name, "="), name);
                (void) snprintf(shown, sizeof(shown), "--%s", typed);
                near = options_nearest(typed, ctl_options, ctl_n_options, sizeof(Option));
        }
        return ctl_say(c, CTL_USAGE, "%s: must be an option of gemgatectl%s%s; see --help", shown,
                       near ? ", such as --" : "", strempty(near));
}

int options_parse(Ctl *c, int argc, char *argv[], int *ret_first, const char **ret_verb) {
        struct option table[OPTIONS_MAX] = {};
        char letters[OPTIONS_MAX * 2 + 2] = ":"; /* for a value that is missing */
        const char *verb = NULL;
        size_t n = 1;
        int o;

        for (size_t i = 0; i < ctl_n_options; i++) {
                const Option *from = ctl_options + i;

                table[i] = (struct option){
                        .name = from->name,
                        .has_arg = from->arg ? required_argument : no_argument,
                        .val = LETTERLESS + (int) i,
                };
                if (from->letter) {
                        letters[n++] = from->letter;
                        if (from->arg)
                                letters[n++] = ':';
                }
        }
        opterr = 0;
        while ((o = getopt_long(argc, argv, letters, table, NULL)) >= 0) {
                const Option *found = NULL;

                for (size_t i = 0; i < ctl_n_options; i++)
                        if (o == LETTERLESS + (int) i || (o == ctl_options[i].letter && o != 0))
                                found = ctl_options + i;
                if (!found)
                        return refuse(c, o == ':', argv[optind - 1]);
                verb = take(c, found) ?: verb;
        }
        if (!!c->host + !!c->machine + !!c->socket > 1)
                return ctl_say(c, CTL_USAGE, "only one of --host, --machine and --socket may be given");
        *ret_first = optind;
        *ret_verb = verb;
        return 0;
}
