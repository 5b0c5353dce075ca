/* SPDX-License-Identifier: MIT */

/*
 * _complete VERB N: the candidates for the N-th argument (from 1) of VERB, one a line, with a tab and a
 * description if there is one; `_complete verbs` and `_complete options` likewise. The shells' scripts call
 * this and know nothing themselves. It prints nothing without a daemon, starts none, and gives up after a
 * second.
 */

#include <stdio.h>

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/models.h"
#include "ctl/options.h"
#include "ctl/rows.h"

static void put(Ctl *c, const char *word, const char *about) {
        if (strpbrk(word, "\t\n")) /* a shell would split it */
                return;
        (void) buf_puts(&c->out, word);
        if (!strnull(about) && !strpbrk(about, "\t\n"))
                (void) buf_printf(&c->out, "\t%s", about);
        (void) buf_putc(&c->out, '\n');
}

static int put_verbs(Ctl *c) {
        for (size_t i = 0; i < ctl_n_verbs; i++)
                if (!(ctl_verbs[i].flags & VERB_HIDDEN))
                        put(c, ctl_verbs[i].name, ctl_verbs[i].help);
        return CTL_OK;
}

static int put_options(Ctl *c) {
        for (size_t i = 0; i < ctl_n_options; i++) {
                const Option *o = ctl_options + i;
                char word[64];

                (void) snprintf(word, sizeof(word), "--%s%s", o->name, o->arg ? "=" : "");
                put(c, word, o->help);
        }
        return CTL_OK;
}

static int put_keys(Ctl *c) {
        _cleanup_rows_ KeyRows rows = {};
        RowsOfKey k;
        int r;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        for (size_t at = 0; rows_next_key(&rows, &at, &k);) {
                _cleanup_free_ char *label = rows_label(k.rows);

                if (label)
                        put(c, label, k.rows->mask);
        }
        return CTL_OK;
}

static int put_models(Ctl *c) {
        _cleanup_rows_ KeyRows rows = {};
        _cleanup_models_ Models l = {};
        int r;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        if (models_of(&rows, &l) < 0)
                return CTL_FAILED;
        for (size_t i = 0; i < l.n; i++)
                put(c, l.models[i].name, l.models[i].state);
        return CTL_OK;
}

static int put_levels(Ctl *c) {
        (void) buf_puts(&c->out, "debug\ninfo\nwarning\nerror\n");
        return CTL_OK;
}

/* The shells complete files themselves. */
static int put_files(Ctl *c) {
        (void) buf_puts(&c->out, ":files\n");
        return CTL_OK;
}

static const struct {
        char letter;
        int (*put)(Ctl *c);
} kinds[] = {
        { 'k', put_keys }, { 'm', put_models }, { 'l', put_levels }, { 'v', put_verbs }, { 'f', put_files },
};

static int put_argument(Ctl *c, const Verb *v, uint64_t at) {
        size_t n = strlen(strempty(v->complete));

        if (n == 0 || at == 0 || at > v->max)
                return CTL_OK;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].letter == v->complete[MIN(at, n) - 1])
                        return kinds[i].put(c);
        return CTL_OK;
}

int verb_complete(Ctl *c, unsigned n, char *args[]) {
        uint64_t at = 1;

        c->quiet = true;
        if (n == 1 && streq(args[0], "verbs"))
                return put_verbs(c);
        if (n == 1 && streq(args[0], "options"))
                return put_options(c);
        if (n == 2 && text_parse_u64(args[1], &at) < 0)
                return CTL_USAGE;
        for (size_t i = 0; i < ctl_n_verbs; i++)
                if (streq(ctl_verbs[i].name, args[0]))
                        return put_argument(c, ctl_verbs + i, at);
        return CTL_OK;
}
