/* SPDX-License-Identifier: MIT */

/* The verbs that change something: reset, enable, disable, reload, log-level. */

#include <stdio.h>

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/show.h"

/* --- reset --- */

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
        } else if (count == 0)
                (void) buf_puts(&c->out, "All keys are already healthy.\n");
        else
                (void) buf_printf(&c->out, "%u block%s lifted.\n", count, count == 1 ? "" : "s");
        return CTL_OK;
}

/* --- enable, disable --- */

static int switch_keys(Ctl *c, const char *member, unsigned n, char *args[]) {
        _cleanup_rows_ KeyRows rows = {};
        int r, worst = CTL_OK;

        r = rows_get(c, &rows);
        if (r != 0)
                return r;
        for (unsigned i = 0; i < n; i++) {
                RowsOfKey k;

                r = rows_find(c, &rows, args[i], &k);
                if (r == 0)
                        r = link_call(c,
                                      &(LinkCall){ .path = k.rows->path,
                                                   .interface = BUS_KEY,
                                                   .member = member,
                                                   .about = args[i] },
                                      NULL, NULL);
                worst = worst ?: r;
        }
        return worst;
}

int verb_enable(Ctl *c, unsigned n, char *args[]) {
        return switch_keys(c, "Enable", n, args);
}

int verb_disable(Ctl *c, unsigned n, char *args[]) {
        return switch_keys(c, "Disable", n, args);
}

/* --- reload --- */

/* The answer comes when the new configuration is in use; an error is the line with the fault. */
int verb_reload(Ctl *c, unsigned n, char *args[]) {
        return link_call(c, &(LinkCall){ .member = "Reload" }, NULL, NULL);
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
        if (n == 0)
                return show_level(c);
        return link_call(c, &(LinkCall){ .member = "SetLogLevel" }, NULL, "s", args[0]);
}
