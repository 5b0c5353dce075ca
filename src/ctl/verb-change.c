/* SPDX-License-Identifier: MIT */

/* The verbs that change something: reset, enable, disable, reload, log-level. Each shows what it did. */

#include <ctype.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/show.h"

/* --- reset --- */

/* The daemon knows the key by its argument, so that is not a secret key. */
static void show_reset(Ctl *c, const char *key, const char *model, uint32_t count) {
        const char *of = *model ? " for " : "";

        if (count > 0)
                show_sentence(c, STYLE_GOOD, "%s%s%s: %u block%s lifted.", *key ? key : "All keys", of,
                              model, count, count == 1 ? "" : "s");
        else
                show_sentence(c, STYLE_PLAIN, *key ? "%s is already healthy%s%s: there was no block to lift."
                                                   : "%s are already healthy%s%s.",
                              *key ? key : "All keys", of, model);
}

int verb_reset(Ctl *c, unsigned n, char *args[]) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *key = c->all || n == 0 ? "" : args[0],
                   *model = c->all ? (n > 0 ? args[0] : "") : (n > 1 ? args[1] : "");
        JWriter w = JWRITER_INIT(&c->out);
        uint32_t count;
        int r;

        if (n == 0 && !c->all)
                return ctl_say(c, CTL_USAGE, "reset what? KEY, KEY MODEL, --all or --all MODEL");
        if (n > 1 && c->all)
                return ctl_say(c, CTL_USAGE, "--all means every key: it takes only a MODEL as well");
        if (!c->all && strnull(key))
                return ctl_say(c, CTL_USAGE, "KEY is empty; --all means every key");

        r = link_call(c, &(LinkCall){ .member = "ResetHealth" }, &m, "ss", key, model);
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "u", &count);
        if (r < 0)
                return link_garbled(c, r);
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_uint(&w, "count", count);
                jwrite_end(&w);
                return CTL_OK;
        }
        show_reset(c, key, model, count);
        return CTL_OK;
}

/* --- enable, disable --- */

static void show_switch(Ctl *c, JWriter *w, const KeyRow *row, bool disable, bool changed) {
        _cleanup_free_ char *label = rows_label(row), *id = link_key_id(row->path);

        if (c->json) {
                jwrite_object(w, NULL);
                jwrite_string(w, "key", id);
                jwrite_bool(w, "enabled", !disable);
                jwrite_bool(w, "changed", changed);
                jwrite_end(w);
        } else if (!changed)
                show_sentence(c, STYLE_PLAIN, "%s is already %s.", strempty(label),
                              disable ? "disabled" : "enabled");
        else if (disable)
                show_sentence(c, STYLE_GOOD, "%s is disabled; its open requests continue.", strempty(label));
        else
                show_sentence(c, STYLE_GOOD, "%s is enabled.", strempty(label));
}

static int switch_keys(Ctl *c, bool disable, unsigned n, char *args[]) {
        JWriter w = JWRITER_INIT(&c->out);
        _cleanup_rows_ KeyRows rows = {};
        int r, worst = CTL_OK;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_array(&w, "keys");
        }
        for (unsigned i = 0; i < n; i++) {
                RowsOfKey k;

                r = rows_find(c, &rows, args[i], &k);
                if (r == 0)
                        r = link_call(c,
                                      &(LinkCall){ .path = k.rows->path,
                                                   .interface = BUS_KEY,
                                                   .member = disable ? "Disable" : "Enable",
                                                   .about = args[i] },
                                      NULL, NULL);
                worst = worst ?: r;
                if (r == 0)
                        show_switch(c, &w, k.rows, disable, streq(k.state, "disabled") != disable);
        }
        if (c->json) {
                jwrite_end(&w);
                jwrite_end(&w);
        }
        return worst;
}

int verb_enable(Ctl *c, unsigned n, char *args[]) {
        return switch_keys(c, false, n, args);
}

int verb_disable(Ctl *c, unsigned n, char *args[]) {
        return switch_keys(c, true, n, args);
}

/* --- reload --- */

static int on_reloaded(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        char **changes = userdata;
        const char *message;
        int ok;

        if (sd_bus_message_read(m, "bs", &ok, &message) >= 0 && ok) {
                free(*changes);
                *changes = strdup(message);
        }
        return 0;
}

/* The answer comes when the new configuration is in use; an error is the line with the fault. What has
 * changed is in the signal that the daemon sends before the answer. A user who may reload need not be one
 * who gets signals; then only the answer is shown. */
int verb_reload(Ctl *c, unsigned n, char *args[]) {
        _cleanup_free_ char *changes = NULL;
        JWriter w = JWRITER_INIT(&c->out);
        int r;

        r = link_open(c);
        if (r != 0)
                return r;
        (void) sd_bus_match_signal(c->bus, NULL, c->peer ? NULL : BUS_NAME, BUS_PATH, BUS_MANAGER,
                                   "Reloaded", on_reloaded, &changes);
        r = link_call(c, &(LinkCall){ .member = "Reload" }, NULL, NULL);
        if (r != 0)
                return r;
        while (sd_bus_process(c->bus, NULL) > 0)
                ;
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_string(&w, "message", changes);
                jwrite_end(&w);
        } else
                show_sentence(c, STYLE_GOOD, "%s", changes ?: "configuration reloaded");
        return CTL_OK;
}

/* --- log-level --- */

static int show_level(Ctl *c) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        JWriter w = JWRITER_INIT(&c->out);
        const char *level;
        int r;

        r = link_call(c, &(LinkCall){ .interface = "org.freedesktop.DBus.Properties", .member = "Get" }, &m,
                      "ss", BUS_MANAGER, "LogLevel");
        if (r != 0)
                return r;
        r = sd_bus_message_read(m, "v", "s", &level);
        if (r < 0)
                return link_garbled(c, r);
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_string(&w, "log_level", level);
                jwrite_end(&w);
        } else
                (void) buf_printf(&c->out, "%s\n", level);
        return CTL_OK;
}

int verb_log_level(Ctl *c, unsigned n, char *args[]) {
        JWriter w = JWRITER_INIT(&c->out);
        int r;

        if (n == 0)
                return show_level(c);
        r = link_call(c, &(LinkCall){ .member = "SetLogLevel" }, NULL, "s", args[0]);
        if (r != 0)
                return r;
        for (char *p = args[0]; *p; p++)
                *p = (char) toupper((unsigned char) *p);
        if (c->json) {
                jwrite_object(&w, NULL);
                jwrite_string(&w, "log_level", args[0]);
                jwrite_end(&w);
        } else
                show_sentence(c, STYLE_GOOD, "The log level is %s until a restart or a reload.", args[0]);
        return CTL_OK;
}
