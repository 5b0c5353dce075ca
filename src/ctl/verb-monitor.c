/* SPDX-License-Identifier: MIT */

/*
 * monitor: the daemon's signals as they arrive, one a line, until Ctrl-C. Each signal is a row of the table:
 * its text for people, and with --json one object a line. It does not start the daemon, and keeps waiting
 * when the daemon ends; on the daemon's own socket it ends when that closes.
 */

#include <errno.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/text.h"
#include "ctl/link.h"
#include "ctl/show.h"
#include "ctl/words.h"

typedef struct Monitor {
        Ctl *c;
        usec_t now;
        Buf line;  /* for people */
        JWriter w; /* for programs */
        Style style;
        char time[WORDS_TIME_MAX];
} Monitor;

static const char *frees(Monitor *m, usec_t until) {
        return until == USEC_INFINITY ? "only when re-enabled" : words_free(until, m->now, m->time);
}

static int on_health(Monitor *m, sd_bus_message *s) {
        const char *path, *model, *before, *after, *reason;
        _cleanup_free_ char *id = NULL;
        usec_t until;
        int r;

        r = sd_bus_message_read(s, "osssst", &path, &model, &before, &after, &reason, &until);
        if (r < 0)
                return r;
        id = link_key_id(path);
        jwrite_string(&m->w, "key", id);
        jwrite_string(&m->w, "model", show_null(model));
        jwrite_string(&m->w, "old", before);
        jwrite_string(&m->w, "new", after);
        jwrite_string(&m->w, "reason", reason);
        words_json_time(&m->w, "until", until);

        m->style = words_style(after);
        (void) buf_printf(&m->line, "key %s%s%s: %s %s %s (%s)", id ?: path, strnull(model) ? "" : ", ",
                          model, before, m->c->screen.unicode ? "→" : "->", after, reason);
        if (!streq(after, "usable"))
                (void) buf_printf(&m->line, ", frees %s", frees(m, until));
        return 0;
}

static int on_exhausted(Monitor *m, sd_bus_message *s) {
        const char *model;
        usec_t until;
        int r;

        r = sd_bus_message_read(s, "st", &model, &until);
        if (r < 0)
                return r;
        jwrite_string(&m->w, "model", model);
        words_json_time(&m->w, "until", until);
        m->style = STYLE_BAD;
        (void) buf_printf(&m->line, "model %s: no key is left, the first frees %s", model, frees(m, until));
        return 0;
}

static int on_warning(Monitor *m, sd_bus_message *s) {
        const char *path, *project, *model;
        _cleanup_free_ char *id = NULL;
        uint64_t used, limit;
        int r;

        r = sd_bus_message_read(s, "osstt", &path, &project, &model, &used, &limit);
        if (r < 0)
                return r;
        id = link_key_id(path);
        jwrite_string(&m->w, "key", id);
        jwrite_string(&m->w, "project", show_null(project));
        jwrite_string(&m->w, "model", model);
        jwrite_uint(&m->w, "used", used);
        jwrite_uint(&m->w, "limit", limit);
        m->style = STYLE_WARN;
        (void) buf_printf(&m->line, "model %s: %llu of %llu requests of the day are used, %s %s", model,
                          (unsigned long long) used, (unsigned long long) limit,
                          strnull(project) ? "the key" : "the project", show_null(project) ?: id);
        return 0;
}

static int on_project(Monitor *m, sd_bus_message *s) {
        _cleanup_free_ char *id = NULL;
        const char *path, *project;
        int r;

        r = sd_bus_message_read(s, "os", &path, &project);
        if (r < 0)
                return r;
        id = link_key_id(path);
        jwrite_string(&m->w, "key", id);
        jwrite_string(&m->w, "project", project);
        (void) buf_printf(&m->line, "key %s shares the project %s with other keys", id, project);
        return 0;
}

static int on_reloaded(Monitor *m, sd_bus_message *s) {
        const char *message;
        int r, ok;

        r = sd_bus_message_read(s, "bs", &ok, &message);
        if (r < 0)
                return r;
        jwrite_bool(&m->w, "ok", ok);
        jwrite_string(&m->w, "message", show_null(message));
        m->style = ok ? STYLE_GOOD : STYLE_BAD;
        (void) buf_puts(&m->line,
                        show_null(message) ?: (ok ? "configuration reloaded" : "configuration refused"));
        return 0;
}

/* NameOwnerChanged of the daemon's name: it has started or ended. */
static int on_owner(Monitor *m, sd_bus_message *s) {
        const char *name, *before, *after;
        int r;

        r = sd_bus_message_read(s, "sss", &name, &before, &after);
        if (r < 0)
                return r;
        jwrite_bool(&m->w, "running", !strnull(after));
        m->style = strnull(after) ? STYLE_WARN : STYLE_GOOD;
        (void) buf_puts(&m->line, strnull(after) ? "gemgated has stopped" : "gemgated has started");
        return 0;
}

static const struct {
        const char *member;
        int (*tell)(Monitor *m, sd_bus_message *s);
} rows[] = {
        { "KeyHealthChanged", on_health },
        { "QuotaExhausted", on_exhausted },
        { "QuotaWarning", on_warning },
        { "ProjectLearned", on_project },
        { "Reloaded", on_reloaded },
        { "NameOwnerChanged", on_owner },
};

static int show_line(Monitor *m) {
        const Screen *screen = &m->c->screen;
        _cleanup_free_ char *clean = NULL;
        char date[WORDS_TIME_MAX];
        Buf *out = &m->c->out;

        clean = table_clean(buf_cstr(&m->line) ?: "");
        if (!clean)
                return -ENOMEM;
        return buf_printf(out, "%s%s%s  %s%s%s\n", screen_on(screen, STYLE_FAINT), words_date(m->now, date),
                          screen_off(screen, STYLE_FAINT), screen_on(screen, m->style), clean,
                          screen_off(screen, m->style));
}

static int on_signal(sd_bus_message *s, void *userdata, sd_bus_error *ret_error) {
        Monitor *m = userdata;
        Buf *out = &m->c->out, json = BUF_INIT(CTL_OUTPUT_MAX);
        char stamp[TIMESTAMP_STRING_MAX];
        size_t i = 0;
        int r;

        while (i < ELEMENTSOF(rows) && !streq(rows[i].member, strempty(sd_bus_message_get_member(s))))
                i++;
        if (i == ELEMENTSOF(rows))
                return 0;
        m->now = clock_realtime();
        m->w = JWRITER_INIT(&json);
        timestamp_format(m->now, 0, stamp);
        jwrite_object(&m->w, NULL);
        jwrite_string(&m->w, "time", stamp);
        jwrite_string(&m->w, "signal", rows[i].member);
        buf_clear(&m->line);
        r = rows[i].tell(m, s);
        jwrite_end(&m->w);
        if (r >= 0 && m->c->json) {
                (void) buf_putc(&json, '\n');
                r = json.error ?: buf_append(out, buf_data(&json), json.n);
        } else if (r >= 0)
                r = show_line(m);
        buf_done(&json);
        if (r >= 0)
                r = screen_show(&m->c->screen, out, false);
        buf_clear(out);
        return r < 0 ? sd_event_exit(sd_bus_get_event(m->c->bus), r) : 0;
}

static int on_disconnected(sd_bus_message *s, void *userdata, sd_bus_error *ret_error) {
        Monitor *m = userdata;

        return sd_event_exit(sd_bus_get_event(m->c->bus), -ECONNRESET);
}

static int subscribe(Monitor *m) {
        Ctl *c = m->c;
        int r;

        r = sd_bus_match_signal(c->bus, NULL, c->peer ? NULL : BUS_NAME, BUS_PATH, BUS_MANAGER,
                                NULL, on_signal, m);
        if (r >= 0 && !c->peer)
                r = sd_bus_add_match(
                        c->bus, NULL,
                        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                        "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                        "arg0='" BUS_NAME "'",
                        on_signal, m);
        if (r >= 0)
                r = sd_bus_match_signal(c->bus, NULL, NULL, "/org/freedesktop/DBus/Local",
                                        "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, m);
        return r;
}

/* SIGTERM and Ctrl-C end the loop with 0. */
static int wait_for_end(Monitor *m, sd_event *loop) {
        sigset_t set;
        int r;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        r = sd_event_add_signal(loop, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(loop, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_bus_attach_event(m->c->bus, loop, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : sd_event_loop(loop);
}

int verb_monitor(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_event_unrefp) sd_event *loop = NULL;
        Monitor m = { .c = c, .line = BUF_INIT(CTL_OUTPUT_MAX) };
        int r;

        r = link_open(c);
        if (r != 0)
                return r;
        r = sd_event_new(&loop);
        if (r >= 0)
                r = subscribe(&m);
        if (r >= 0) {
                if (c->screen.terminal && !c->json)
                        (void) ctl_say(c, 0, "watching; Ctrl-C stops");
                r = wait_for_end(&m, loop);
        }
        (void) sd_bus_detach_event(c->bus);
        buf_done(&m.line);
        if (r == -ECONNRESET || r == -ENOTCONN)
                return ctl_say(c, CTL_FAILED, "the connection has ended");
        return r < 0 ? ctl_say(c, CTL_FAILED, "%s", strerror(-r)) : CTL_OK;
}
