/* SPDX-License-Identifier: MIT */

/*
 * The .env grammar. A line is blank, a comment, or [export] NAME=VALUE, with blanks where one expects them.
 *
 *     NAME=value      to the end of the line; a # after a blank begins a comment. Quotes and backslashes in
 *                     it have no meaning, so JSON needs no quoting: API_KEYS=["a","b"]
 *     NAME='value'    up to the next ', over several lines if need be, taken literally
 *     NAME="value"    the same up to the next ", but \n \r \t \" \\ \$ \` are escapes and a backslash at a
 *                     line's end removes that end; before another character it is literal
 *
 * After a closing quote only a comment may follow. CRLF and a byte order mark are accepted, as Windows
 * writes them.
 *
 * Two other programs read such files: systemd (EnvironmentFile=) and compose (env_file:). Each has its own
 * grammar. Where they differ from this one, a value would silently change when the same file is given to
 * them. So the reader notes the first thing in a line that makes them differ, on the safe side: a line
 * without a note means the same to all three. tests/unit/test-config-env.c checks that against models of
 * both readers.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/internal.h"

#define UPPER      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define NAME_CHARS UPPER "abcdefghijklmnopqrstuvwxyz" TEXT_DIGITS

/* The kernel takes no longer string in an environment (MAX_ARG_STRLEN, with the name in it). */
#define ENVIRONMENT_VALUE_MAX (127U << 10)

typedef struct EnvReader {
        const char *p, *end;
        unsigned line; /* where p is */

        /* what env_next() found */
        unsigned at; /* the line in which it begins */
        const char *name;
        size_t n_name;
        Buf value;
        const char *note;  /* why other programs read it differently, or NULL */
        const char *fault; /* what is wrong with the line */
} EnvReader;

static void note(EnvReader *e, const char *why) {
        if (!e->note)
                e->note = why;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static void skip_blanks(EnvReader *e) {
        while (e->p < e->end && is_blank(*e->p))
                e->p++;
}

static const char *line_end(const EnvReader *e) {
        const char *lf = e->p;

        while (lf < e->end && *lf != '\n')
                lf++;
        return lf > e->p && lf[-1] == '\r' ? lf - 1 : lf;
}

static void next_line(EnvReader *e) {
        while (e->p < e->end && *e->p++ != '\n')
                ;
        e->line++;
}

static int fault(EnvReader *e, const char *what) {
        e->fault = what;
        next_line(e);
        return -EBADMSG;
}

static bool has_control(const char *s, size_t n, const char *besides) {
        for (size_t i = 0; i < n; i++)
                if (((unsigned char) s[i] < 0x20 || s[i] == 0x7f) && !strchr(besides, s[i]))
                        return true;
        return false;
}

static void read_comment(EnvReader *e) {
        const char *end = line_end(e);

        if (has_control(e->p, (size_t) (end - e->p), "\t"))
                note(e, "a control character");
        if (end > e->p && end[-1] == '\\')
                note(e, "a backslash at a comment's end: systemd joins the next line to it");
        next_line(e);
}

/* --- values --- */

static int read_bare(EnvReader *e, bool blank_before) {
        const char *end = line_end(e), *stop = e->p, *s;
        size_t n;

        for (; stop < end; stop++)
                if (*stop == '#') {
                        note(e, "a # outside of quotes: only some readers begin a comment there");
                        if (stop == e->p ? blank_before : is_blank(stop[-1]))
                                break;
                }
        s = e->p;
        n = (size_t) (stop - s);
        while (n > 0 && is_blank(s[n - 1]))
                n--;

        if (memchr(s, '\\', n))
                note(e, "a backslash outside of quotes: systemd removes it");
        if (memchr(s, '$', n))
                note(e, "a $ outside of single quotes: compose replaces it by a variable");
        if (has_control(s, (size_t) (end - s), "\t"))
                note(e, "a control character");
        if (n > 0 && ((s[0] | s[n - 1]) & 0x80))
                note(e, "a value that begins or ends with a character that is not ASCII, outside of quotes");
        next_line(e);
        return buf_append(&e->value, s, n);
}

/* After the closing quote. */
static int read_tail(EnvReader *e) {
        const char *quote = e->p;

        skip_blanks(e);
        if (e->p == line_end(e)) {
                next_line(e);
                return 0;
        }
        if (*e->p != '#' || e->p == quote)
                return fault(e, "must have only a comment after the closing quote");
        note(e, "a comment after a quoted value: systemd makes it part of the value");
        next_line(e);
        return 0;
}

static void unescape(EnvReader *e, char c) {
        static const struct {
                char c, meaning;
        } escapes[] = {
                { 'n', '\n' },  { 'r', '\r' }, { 't', '\t' }, { '"', '"' },
                { '\\', '\\' }, { '$', '$' },  { '`', '`' },
        };

        if (c != '"')
                note(e, "a backslash before anything but a double quote: readers differ");
        if (c == '\r' && e->p + 1 < e->end && e->p[1] == '\n')
                c = *++e->p;
        if (c == '\n')
                return;
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++)
                if (c == escapes[i].c) {
                        (void) buf_putc(&e->value, escapes[i].meaning);
                        return;
                }
        (void) buf_append(&e->value, (char[]){ '\\', c }, 2);
}

static int read_quoted(EnvReader *e) {
        char quote = *e->p++;
        unsigned line = e->line;

        for (; e->p < e->end && *e->p != quote; e->p++) {
                if (*e->p == '\n')
                        line++;
                if (quote == '"' && *e->p == '\\' && e->p + 1 < e->end) {
                        unescape(e, *++e->p);
                        if (*e->p == '\n')
                                line++;
                        continue;
                }
                if (*e->p == '\\')
                        note(e, "a backslash in quotes: readers differ");
                if (quote == '"' && *e->p == '$')
                        note(e, "a $ outside of single quotes: compose replaces it by a variable");
                if (has_control(e->p, 1, "\t\n"))
                        note(e, "a control character");
                (void) buf_putc(&e->value, *e->p);
        }
        if (e->p == e->end)
                return fault(e, "must have a closing quote");
        e->p++;
        e->line = line;
        if (e->value.error < 0)
                return e->value.error;
        return read_tail(e);
}

/* --- lines --- */

static bool skip_export(EnvReader *e) {
        if ((size_t) (e->end - e->p) < 7 || memcmp(e->p, "export", 6) != 0 || !is_blank(e->p[6]))
                return false;
        e->p += 6;
        skip_blanks(e);
        return true;
}

static int read_assignment(EnvReader *e) {
        const char *before;
        int r;

        if (skip_export(e))
                note(e, "export: systemd ignores the line");
        e->name = e->p;
        while (e->p < e->end && *e->p && strchr(NAME_CHARS, *e->p))
                e->p++;
        e->n_name = (size_t) (e->p - e->name);
        skip_blanks(e);
        if (e->p == e->end || *e->p != '=' || e->n_name == 0 || strchr(TEXT_DIGITS, *e->name))
                return fault(e, "must be NAME=value");

        before = ++e->p;
        skip_blanks(e);
        if (e->p < e->end && (*e->p == '\'' || *e->p == '"'))
                r = read_quoted(e);
        else
                r = read_bare(e, e->p > before);
        if (r < 0)
                return r;

        if (!text_is_utf8(before, (size_t) (e->p - before)))
                note(e, "not UTF-8: systemd ignores the line");
        if (e->value.n > ENVIRONMENT_VALUE_MAX)
                note(e, "longer than an environment variable can be");
        return 1;
}

/* 1: an assignment, or a comment with a note (then without a name); 0: the end; -EBADMSG: a wrong line, and
 * the next call continues after it. */
static int env_next(EnvReader *e) {
        e->name = NULL;
        e->fault = e->note = NULL;
        buf_clear(&e->value);

        if (e->line == 0) {
                e->line = 1;
                if (e->end - e->p >= 3 && memcmp(e->p, "\xEF\xBB\xBF", 3) == 0) {
                        e->p += 3;
                        e->at = 1;
                        note(e, "a byte order mark: systemd makes it part of the line");
                        return 1;
                }
        }
        for (;;) {
                skip_blanks(e);
                if (e->p == e->end)
                        return 0;
                e->at = e->line;
                if (e->p == line_end(e))
                        next_line(e);
                else if (*e->p == '#') {
                        read_comment(e);
                        if (e->note)
                                return 1;
                } else
                        return read_assignment(e);
        }
}

/* --- into the ConfigText --- */

static void _printf_(6, 7) say_at(LogLevel level, const char *file, unsigned line, ConfigSay say,
                                  void *userdata, const char *fmt, ...) {
        char text[512];
        va_list ap;
        int n;

        n = snprintf(text, sizeof(text), "%.255s:%u: ", file, line);
        va_start(ap, fmt);
        (void) vsnprintf(text + n, sizeof(text) - (size_t) n, fmt, ap);
        va_end(ap);
        secret_scrub_suspects(text + n); /* a key may be where a name belongs */
        say(level, text, userdata);
}

/* Variables of compose and of packaging/compose.yaml, which may be in the file without a warning. */
static bool is_for_compose(const char *name) {
        static const char *const names[] = { "MEMORY", "PUBLISH", "TZ", "WITH_CLI" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(names[i], name))
                        return true;
        return startswith(name, "COMPOSE_");
}

/* Gemini is only asked by https. */
static bool is_other_proxy(const char *name) {
        return strcaseeq(name, "HTTP_PROXY") || strcaseeq(name, "FTP_PROXY");
}

typedef struct EnvSink {
        ConfigText *text;
        const char *file;
        ConfigSay say;
        void *userdata;
} EnvSink;

/* -EBADMSG: it is nearly the name of a setting, and most likely a mistake. */
static int refuse_name(const EnvSink *t, const EnvReader *e) {
        const Setting *near = config_setting_near(e->name, e->n_name);
        bool is_name =
                e->n_name <= SETTING_NAME_MAX && text_in_charset(e->name, e->n_name, UPPER TEXT_DIGITS);

        if (near) {
                say_at(LOG_LEVEL_ERROR, t->file, e->at, t->say, t->userdata,
                       "%.*s: must be the name of a setting, such as %s", (int) e->n_name, e->name,
                       near->name);
                return -EBADMSG;
        }
        /* A mistaken line may have a secret in the place of its name: a message repeats only what looks like
         * a setting's name. */
        say_at(LOG_LEVEL_WARNING, t->file, e->at, t->say, t->userdata, "%.*s is not a setting",
               is_name ? (int) e->n_name : 4, is_name ? e->name : "this");
        return 0;
}

static int set_one(const EnvSink *t, const EnvReader *e) {
        char name[SETTING_NAME_MAX + 1];
        int r = -ENOENT;

        if (e->n_name <= SETTING_NAME_MAX) {
                (void) snprintf(name, sizeof(name), "%.*s", (int) e->n_name, e->name);
                if (is_for_compose(name))
                        return 0;
                if (is_other_proxy(name)) {
                        say_at(LOG_LEVEL_WARNING, t->file, e->at, t->say, t->userdata,
                               "%s is not used: the proxy to Gemini is UPSTREAM_PROXY or HTTPS_PROXY", name);
                        return 0;
                }
                r = config_text_set_from(t->text, CONFIG_SOURCE_ENV_FILE, name,
                                         e->value.n > 0 ? buf_data(&e->value) : "", e->value.n, t->file,
                                         e->at);
        }
        return r == -ENOENT ? refuse_name(t, e) : r;
}

int config_text_read_env(ConfigText *t, const char *text, size_t n, const char *file, bool portable,
                         ConfigSay say, void *userdata) {
        EnvReader e = { .p = text, .end = text + n, .value = BUF_INIT_SECRET(n) };
        const EnvSink sink = { t, file, say, userdata };
        bool good = true;
        int r;

        if (n > 0 && memchr(text, 0, n)) {
                say_at(LOG_LEVEL_ERROR, file, 1, say, userdata, "must be text without NUL bytes");
                return -EBADMSG;
        }

        while ((r = env_next(&e)) != 0) {
                if (r == -EBADMSG) {
                        say_at(LOG_LEVEL_ERROR, file, e.at, say, userdata, "%s", e.fault);
                        good = false;
                        continue;
                }
                if (r < 0)
                        break;
                if (portable && e.note)
                        say_at(LOG_LEVEL_WARNING, file, e.at, say, userdata,
                               "other programs read this line differently: %s", e.note);
                if (!e.name)
                        continue;
                r = set_one(&sink, &e);
                if (r == -EBADMSG)
                        good = false;
                else if (r < 0)
                        break;
        }
        buf_done(&e.value);
        if (r < 0)
                return r;
        return good ? 0 : -EBADMSG;
}
