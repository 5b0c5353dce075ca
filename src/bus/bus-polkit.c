/* SPDX-License-Identifier: MIT */

/*
 * Polkit may take minutes to answer, because it asks a person for a password. So the question is sent
 * asynchronously, and only the call in question waits. If the sender leaves the bus meanwhile, the question
 * is cancelled, so that no password dialogue stays open. The sender's NameOwnerChanged shows that. Its
 * match is sent before the question: if the sender leaves between the two, either the signal or polkit's
 * answer shows it. (sd_bus_track would do the same, but it blocks on a question to the bus.)
 *
 * A daemon that is not root may ask about other users only for actions that have its user in the annotation
 * org.freedesktop.policykit.owner.
 */

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "bus/bus-polkit.h"

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define ALLOW_INTERACTION 1U
#define PATIENCE          (2 * USEC_PER_MINUTE) /* time to type a password */

struct BusPolkit {
        sd_bus *bus;
        sd_bus_slot *reply, *watch;
        char id[32]; /* for cancelling the question */
        void (*answer)(BusPolkitAnswer answer, void *userdata);
        void *userdata;
};

static void finish(BusPolkit *p, BusPolkitAnswer answer) {
        void (*f)(BusPolkitAnswer, void *) = p->answer;
        void *userdata = p->userdata;

        p->reply = sd_bus_slot_unref(p->reply);
        (void) bus_polkit_free(p);
        f(answer, userdata);
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *e _unused_) {
        BusPolkit *p = userdata;
        int authorized = 0, challenge = 0;

        if (sd_bus_message_is_method_error(reply, NULL) ||
            sd_bus_message_enter_container(reply, 'r', "bba{ss}") < 0 ||
            sd_bus_message_read(reply, "bb", &authorized, &challenge) < 0)
                finish(p, BUS_POLKIT_NO);
        else
                finish(p, authorized ? BUS_POLKIT_YES : challenge ? BUS_POLKIT_CHALLENGE : BUS_POLKIT_NO);
        return 0;
}

static void cancel(BusPolkit *p) {
        (void) sd_bus_call_method_async(p->bus, NULL, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                        "CancelCheckAuthorization", NULL, NULL, "s", p->id);
}

static int on_gone(sd_bus_message *m _unused_, void *userdata, sd_bus_error *e _unused_) {
        BusPolkit *p = userdata;

        cancel(p);
        finish(p, BUS_POLKIT_GONE);
        return 0;
}

/* Without a callback sd-bus would close the whole connection if the bus refuses the match. */
static int on_watch(sd_bus_message *m _unused_, void *userdata _unused_, sd_bus_error *e _unused_) {
        return 0;
}

static int watch(BusPolkit *p, const char *sender) {
        char match[512];
        int n;

        n = snprintf(match, sizeof(match),
                     "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s',arg2=''",
                     sender);
        if (n < 0 || (size_t) n >= sizeof(match))
                return -EINVAL;
        return sd_bus_add_match_async(p->bus, &p->watch, match, on_gone, on_watch, p);
}

static int ask(BusPolkit *p, sd_bus_message *m, const char *sender, const char *action) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *q = NULL;
        bool interactive = sd_bus_message_get_allow_interactive_authorization(m) > 0;
        int r;

        r = sd_bus_message_new_method_call(p->bus, &q, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                           "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(q, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s", sender, action,
                                  0, interactive ? ALLOW_INTERACTION : 0, p->id);
        if (r < 0)
                return r;
        return sd_bus_call_async(p->bus, &p->reply, q, on_reply, p, PATIENCE);
}

int bus_polkit_ask(sd_bus_message *m, const char *action,
                   void (*answer)(BusPolkitAnswer answer, void *userdata), void *userdata, BusPolkit **ret) {
        static uint64_t last_id;
        const char *sender = sd_bus_message_get_sender(m);
        BusPolkit *p;
        int r;

        if (!sender)
                return -EINVAL;
        p = calloc(1, sizeof(BusPolkit));
        if (!p)
                return -ENOMEM;
        *p = (BusPolkit){ .bus = sd_bus_ref(sd_bus_message_get_bus(m)),
                          .answer = answer,
                          .userdata = userdata };
        (void) snprintf(p->id, sizeof(p->id), "gemgate-%llu", (unsigned long long) ++last_id);
        r = watch(p, sender);
        if (r >= 0)
                r = ask(p, m, sender, action);
        if (r < 0) {
                (void) bus_polkit_free(p);
                return r;
        }
        *ret = p;
        return 0;
}

BusPolkit *bus_polkit_free(BusPolkit *p) {
        if (!p)
                return NULL;
        sd_bus_slot_unref(p->reply);
        sd_bus_slot_unref(p->watch);
        sd_bus_unref(p->bus);
        free(p);
        return NULL;
}
