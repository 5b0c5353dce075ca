/* SPDX-License-Identifier: MIT */

/*
 * The gate is a filter on the connection: sd-bus passes it each message before any object gets it.
 *
 *     call → is the sender known? ── no ──→ ask the bus for its user and groups ─→ (later) ─┐
 *              │ yes                                                                       │
 *              ├─ an administrator → dispatched                                            │
 *              ├─ a method that polkit can open → ask polkit ─→ (later) yes → dispatched ←─┘
 *              └─ anything else → AccessDenied
 *
 * Nothing here blocks. sd_bus_query_sender_creds() would block every stream until the bus answers, and
 * sd-bus calls it for each method that is not marked unprivileged. So all methods are marked unprivileged,
 * and a call from an unknown sender is set aside. When the answer has arrived and the call is allowed, it
 * goes back into the read queue (sd_bus_enqueue_for_read), and the gate lets it pass the second time. Its
 * arguments are not read before that.
 *
 * A bus gives a unique name only once, and a sender's user and groups are those of the moment of connecting.
 * So the answer about a sender stays true, and the last REMEMBERED senders are kept.
 *
 * There are ceilings for calls that are set aside, in all and of one sender, and for questions to polkit, in
 * all and of one user. Only calls of other users than administrators wait for polkit, so the ceilings for
 * polkit never hold up an administrator.
 *
 * The bus policy (org.gemgate1.conf) already keeps other users from properties and signals. The gate refuses
 * access to properties as well.
 */

#include <errno.h>
#include <grp.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/text.h"
#include "bus/bus-gate.h"
#include "bus/bus-internal.h"
#include "bus/bus-polkit.h"

#define SENDER_MAX 32U /* `:1.4294967295`; the bus is asked each time about a longer one */
#define GROUPS_MAX 65536U
#define REMEMBERED 64U

typedef struct Sender {
        char name[SENDER_MAX];
        uid_t uid;
        bool admin;
} Sender;

/* A call that is set aside, or is allowed and in the read queue again. */
typedef struct Call {
        List calls;
        BusGate *gate;
        sd_bus_message *message;
        sd_bus_slot *credentials; /* the question to the bus */
        BusPolkit *polkit;        /* the question to polkit */
        uid_t uid;
        bool allowed;
} Call;

struct BusGate {
        sd_bus *bus;
        sd_bus_slot *filter;
        gid_t admins;
        List calls;
        Sender senders[REMEMBERED];
        unsigned next_sender; /* the oldest, replaced next */
};

/* --- the rules --- */

bool bus_gate_is_admin(uid_t uid, const gid_t *gids, size_t n_gids, gid_t admins) {
        if (uid == 0 || uid == geteuid())
                return true;
        for (size_t i = 0; i < n_gids; i++)
                if (admins != BUS_NO_GROUP && gids[i] == admins)
                        return true;
        return false;
}

gid_t bus_gate_group(void) {
        const struct group *g = getgrnam(BUS_GROUP); /* may block: called at the start only */

        return g ? g->gr_gid : BUS_NO_GROUP;
}

/* --- calls that are set aside --- */

static Call *call_free(Call *c) {
        list_unlink(&c->calls);
        sd_bus_slot_unref(c->credentials);
        bus_polkit_free(c->polkit);
        sd_bus_message_unref(c->message);
        free(c);
        return NULL;
}

static void refuse(Call *c, const char *error, const char *sentence) {
        (void) sd_bus_reply_method_errorf(c->message, error, "%s", sentence);
        call_free(c);
}

static void allow(Call *c) {
        c->allowed = true;
        if (sd_bus_enqueue_for_read(c->gate->bus, c->message) < 0)
                refuse(c, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for an answer: try again.");
}

static void on_polkit(BusPolkitAnswer answer, void *userdata) {
        Call *c = userdata;

        c->polkit = NULL;
        switch (answer) {
        case BUS_POLKIT_YES:
                return allow(c);
        case BUS_POLKIT_CHALLENGE:
                return refuse(c, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                              "polkit needs the password of an administrator, and the call does not allow "
                              "it to ask for one.");
        case BUS_POLKIT_GONE:
                call_free(c);
                return;
        case BUS_POLKIT_NO:
                break;
        }
        refuse(c, SD_BUS_ERROR_ACCESS_DENIED,
               "polkit does not allow this. Root and the group " BUS_GROUP " may do it without polkit.");
}

static void ask_polkit(Call *c, const char *action) {
        unsigned n = 0, n_user = 0;

        LIST_FOREACH(i, &c->gate->calls) {
                const Call *other = list_entry(i, Call, calls);

                n += !!other->polkit;
                n_user += other->polkit && other->uid == c->uid;
        }
        if (n >= BUS_POLKIT_MAX || n_user >= BUS_POLKIT_USER_MAX)
                return refuse(c, SD_BUS_ERROR_LIMITS_EXCEEDED,
                              "Too many calls wait for polkit: answer or cancel its questions first.");
        if (bus_polkit_ask(c->message, action, on_polkit, c, &c->polkit) < 0)
                refuse(c, SD_BUS_ERROR_ACCESS_DENIED, "polkit could not be asked.");
}

static void decide(Call *c, bool admin) {
        const char *action;

        if (admin)
                return allow(c);
        action = bus_action(sd_bus_message_get_interface(c->message),
                                 sd_bus_message_get_member(c->message));
        if (action)
                return ask_polkit(c, action);
        refuse(c, SD_BUS_ERROR_ACCESS_DENIED, "Only root and the group " BUS_GROUP " may do this.");
}

/* --- the sender --- */

static const Sender *find_sender(const BusGate *g, const char *name) {
        for (size_t i = 0; i < REMEMBERED; i++)
                if (streq(g->senders[i].name, name))
                        return &g->senders[i];
        return NULL;
}

static void remember(BusGate *g, const char *name, uid_t uid, bool admin) {
        Sender *s = &g->senders[g->next_sender];
        size_t n = strlen(name);

        if (n >= SENDER_MAX)
                return;
        g->next_sender = (g->next_sender + 1) % REMEMBERED;
        *s = (Sender){ .uid = uid, .admin = admin };
        memcpy(s->name, name, n);
}

static int read_groups(sd_bus_message *m, gid_t admins, bool *ret) {
        const void *gids; /* a{sv} holds them as au */
        size_t n;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "au");
        if (r < 0)
                return r;
        r = sd_bus_message_read_array(m, 'u', &gids, &n);
        if (r < 0)
                return r;
        n /= sizeof(uint32_t);
        /* The groups alone: the caller checks the user. */
        *ret = n <= GROUPS_MAX && bus_gate_is_admin((uid_t) -1, gids, n, admins);
        return sd_bus_message_exit_container(m);
}

/* dbus before 1.14 sends no UnixGroupIDs. Members of the group then count as other users, and need
 * polkit. */
static int read_credentials(sd_bus_message *m, gid_t admins, uid_t *ret_uid, bool *ret_admin) {
        uid_t uid = (uid_t) -1;
        bool admin = false;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                if (streq(name, "UnixUserID"))
                        r = sd_bus_message_read(m, "v", "u", &uid);
                else if (streq(name, "UnixGroupIDs"))
                        r = read_groups(m, admins, &admin);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (uid == (uid_t) -1)
                return -ENODATA;
        *ret_uid = uid;
        *ret_admin = admin || bus_gate_is_admin(uid, NULL, 0, admins);
        return 0;
}

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *e _unused_) {
        Call *c = userdata;
        BusGate *g = c->gate;
        bool admin = false;

        c->credentials = sd_bus_slot_unref(c->credentials);
        if (sd_bus_message_is_method_error(reply, NULL) ||
            read_credentials(reply, g->admins, &c->uid, &admin) < 0) {
                refuse(c, SD_BUS_ERROR_ACCESS_DENIED, "The bus could not tell which user you are.");
                return 0;
        }
        remember(g, sd_bus_message_get_sender(c->message), c->uid, admin);
        decide(c, admin);
        return 0;
}

static void ask_bus(Call *c) {
        if (sd_bus_call_method_async(c->gate->bus, &c->credentials, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "GetConnectionCredentials", on_credentials, c, "s",
                                     sd_bus_message_get_sender(c->message)) < 0)
                refuse(c, SD_BUS_ERROR_ACCESS_DENIED, "The bus could not be asked which user you are.");
}

/* --- the filter --- */

/* True if the call was set aside before and is allowed now. */
static bool take_allowed(BusGate *g, const sd_bus_message *m) {
        LIST_FOREACH(i, &g->calls) {
                Call *c = list_entry(i, Call, calls);

                if (!c->allowed || c->message != m)
                        continue;
                call_free(c);
                return true;
        }
        return false;
}

static bool has_room(const BusGate *g, const char *sender) {
        unsigned n = 0, n_sender = 0;

        LIST_FOREACH(i, &g->calls) {
                const Call *c = list_entry(i, Call, calls);

                n++;
                n_sender += streq_ptr(sd_bus_message_get_sender(c->message), sender);
        }
        return n < BUS_CALLS_MAX && n_sender < BUS_CALLS_SENDER_MAX;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        BusGate *g = userdata;
        const char *sender = sd_bus_message_get_sender(m);
        const Sender *known;
        uint8_t type;
        Call *c;

        if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
                return 0;
        if (take_allowed(g, m) || streq_ptr(sd_bus_message_get_interface(m), "org.freedesktop.DBus.Peer"))
                return 0;
        if (!sender)
                return -EBADMSG; /* a message from a bus always has a sender */
        known = find_sender(g, sender);
        if (known && known->admin)
                return 0;
        if (!has_room(g, sender)) {
                (void) sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                  "Too many calls wait for an answer: try again.");
                return 1;
        }
        c = calloc(1, sizeof(Call));
        if (!c)
                return -ENOMEM;
        *c = (Call){ .gate = g, .message = sd_bus_message_ref(m) };
        list_init(&c->calls);
        list_append(&g->calls, &c->calls);
        if (known) {
                c->uid = known->uid;
                decide(c, false);
        } else
                ask_bus(c);
        return 1;
}

int bus_gate_new(sd_bus *bus, gid_t admins, BusGate **ret) {
        _cleanup_(bus_gate_freep) BusGate *g = NULL;
        int r;

        g = calloc(1, sizeof(BusGate));
        if (!g)
                return -ENOMEM;
        *g = (BusGate){ .bus = bus, .admins = admins };
        list_init(&g->calls);
        r = sd_bus_add_filter(bus, &g->filter, on_message, g);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}

bool bus_gate_is_idle(const BusGate *g) {
        return list_is_empty(&g->calls);
}

BusGate *bus_gate_free(BusGate *g) {
        if (!g)
                return NULL;
        LIST_FOREACH(i, &g->calls)
                call_free(list_entry(i, Call, calls));
        sd_bus_slot_unref(g->filter);
        free(g);
        return NULL;
}
