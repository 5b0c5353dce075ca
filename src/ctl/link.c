/* SPDX-License-Identifier: MIT */

/*
 * Errors become sentences by a table: an error's name, or its prefix, the exit status, and what to do about
 * it. The daemon's own errors have sentences, which are shown as they are.
 */

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "ctl/agent.h"
#include "ctl/link.h"
#include "ctl/rows.h"

#define CONTROL_SOCKET "/run/gemgate/bus"    /* where it is in a container */
#define TIMEOUT        (2 * USEC_PER_MINUTE) /* a person may be typing a password for polkit */
#define TIMEOUT_QUIET  USEC_PER_SEC          /* a person is waiting behind the tab key */

#define NOT_RUNNING                                                                                         \
        "gemgated is not running: systemctl start gemgated.socket (then a first connection starts it), or " \
        "systemctl start gemgated.service"
#define NOT_STARTED "gemgated could not be started; see journalctl -u gemgated"
#define NO_ANSWER   "gemgated did not answer; see systemctl status gemgated"
#define NO_BUS                                                                                              \
        "there is no system bus and no " CONTROL_SOCKET ": systemctl start dbus.socket and then "           \
        "gemgated.socket, or name the daemon's CONTROL_SOCKET with --socket=PATH"
#define DENIED ""

static const struct {
        const char *name; /* with an asterisk: its prefix */
        int status;
        const char *advice; /* NULL: the error's own sentence */
} errors[] = {
        { BUS_ERROR("NoSuch*"), CTL_NOTHING, NULL },
        { BUS_ERROR("InvalidConfiguration"), CTL_FAILED, NULL },
        { BUS_ERROR("Invalid*"), CTL_USAGE, NULL },
        { BUS_ERROR("*"), CTL_FAILED, NULL },
        { SD_BUS_ERROR_ACCESS_DENIED, CTL_DENIED, DENIED },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, CTL_DENIED, DENIED },
        { "org.freedesktop.PolicyKit1.Error.*", CTL_DENIED, DENIED },
        { SD_BUS_ERROR_SERVICE_UNKNOWN, CTL_FAILED, NOT_RUNNING },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, CTL_FAILED, NULL }, /* see advice_of() */
        { "org.freedesktop.DBus.Error.Spawn.*", CTL_FAILED, NOT_STARTED },
        { "org.freedesktop.DBus.Error.TimedOut", CTL_FAILED, NOT_STARTED }, /* from the bus, when a start
                                                                             * fails */
        { "org.freedesktop.systemd1.*", CTL_FAILED, NOT_STARTED },
        { SD_BUS_ERROR_NO_REPLY, CTL_FAILED, NO_ANSWER },
        { SD_BUS_ERROR_TIMEOUT, CTL_FAILED, NO_ANSWER },
        { SD_BUS_ERROR_DISCONNECTED, CTL_FAILED, NO_ANSWER },
};

static bool matches(const char *pattern, const char *name) {
        size_t n = strcspn(pattern, "*");

        return pattern[n] ? strncmp(pattern, name, n) == 0 : streq(pattern, name);
}

/* Reading is allowed or not, without a password. */
static int denied(const Ctl *c, const char *interface, const char *member) {
        const char *action = c->peer ? NULL : bus_action(interface, member);

        if (action)
                return ctl_say(
                        c, CTL_DENIED,
                        "%s: permission denied: you must be root or a member of the group gemgate, or "
                        "polkit must allow you %s (pkaction --verbose --action-id %s)",
                        c->verb->name, action, action);
        return ctl_say(c, CTL_DENIED,
                       "%s: permission denied: you must be root or a member of the group gemgate",
                       c->verb->name);
}

/* The daemon checks a peer when it connects, and closes the connection if it is none of these. */
static int closed(const Ctl *c) {
        return ctl_say(
                c, CTL_DENIED,
                "the daemon closed the connection: its control socket is only for root, its user and the "
                "group gemgate");
}

/* dbus-daemon sends this error for a call that must not start the daemon; dbus-broker also for a failed
 * start. */
static const char *advice_of(const Ctl *c, size_t i) {
        if (!streq(errors[i].name, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return errors[i].advice;
        return c->verb->flags & VERB_NO_START ? NOT_RUNNING : NOT_STARTED;
}

static int tell(const Ctl *c, const LinkCall *call, const sd_bus_error *e, int error) {
        const char *sentence = strnull(e->message) ? strerror(error < 0 ? -error : error) : e->message;

        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                if (!e->name || !matches(errors[i].name, e->name))
                        continue;
                if (errors[i].status == CTL_DENIED)
                        return denied(c, call->interface ?: BUS_MANAGER, call->member);
                return ctl_say(c, errors[i].status, "%s", advice_of(c, i) ?: sentence);
        }
        if (call->about && link_is_no_object(e))
                return rows_missing(c, call->about);
        if (link_is_no_object(e)) /* its sentence has names of D-Bus only */
                return ctl_say(c, CTL_FAILED,
                               "%s: gemgated does not know this: do both programs have the same version? "
                               "See gemgatectl version", c->verb->name);
        switch (-error) {
        case ETIMEDOUT:
        case ECONNRESET:
        case ENOTCONN:
        case EPIPE:
                if (c->peer)
                        return closed(c);
                if (c->host)
                        return ctl_say(c, CTL_FAILED, "cannot talk to gemgated on %s", c->host);
                return ctl_say(c, CTL_FAILED, NO_ANSWER);
        }
        return ctl_say(c, CTL_FAILED, "%s: %s", c->verb->name, sentence);
}

bool link_is_no_object(const sd_bus_error *e) {
        return sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
               sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_METHOD) ||
               sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_INTERFACE);
}

int link_garbled(Ctl *c, int error) {
        if (error == -ENOMEM)
                return ctl_oom(c);
        return ctl_say(
                c, CTL_FAILED,
                "gemgated's answer was not understood: do both programs have the same version? See "
                "gemgatectl version");
}

/* --- connecting --- */

static int open_peer(const char *path, sd_bus **ret) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;
        int r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0)
                return r;
        (void) TAKE_FD(fd);
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(bus);
        return 0;
}

static int use_peer(Ctl *c, const char *path) {
        int r;

        r = open_peer(path, &c->bus);
        c->peer = r >= 0;
        if (r == -EACCES || r == -EPERM)
                return ctl_say(c, CTL_DENIED,
                               "%s: permission denied: it is only for root, its owner and the group gemgate",
                               path);
        if (r == -ENOENT || r == -ECONNREFUSED)
                return ctl_say(c, CTL_FAILED,
                               "%s: no daemon listens there: is gemgated running with "
                               "CONTROL_SOCKET=%s?", path,
                               path);
        if (r == -EPIPE || r == -ECONNRESET)
                return closed(c);
        if (r < 0)
                return ctl_say(c, CTL_FAILED, "%s: %s", path, strerror(-r));
        return 0;
}

static int use_bus(Ctl *c) {
        int r;

        if (c->host)
                r = sd_bus_open_system_remote(&c->bus, c->host);
        else if (c->machine)
                r = sd_bus_open_system_machine(&c->bus, c->machine);
        else
                r = sd_bus_open_system(&c->bus);
        if (r >= 0)
                return 0;
        if (c->machine && (r == -EACCES || r == -EPERM))
                return ctl_say(c, CTL_DENIED,
                               "cannot reach %s: permission denied: only root may enter a container",
                               c->machine);
        if (c->host || c->machine)
                return ctl_say(c, CTL_FAILED, "cannot reach %s: %s", c->host ?: c->machine, strerror(-r));
        if (access(CONTROL_SOCKET, F_OK) == 0)
                return use_peer(c, CONTROL_SOCKET);
        if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOMEDIUM)
                return ctl_say(c, CTL_FAILED, NO_BUS);
        return ctl_say(c, r == -EACCES || r == -EPERM ? CTL_DENIED : CTL_FAILED, "system bus: %s",
                       strerror(-r));
}

int link_open(Ctl *c) {
        int r;

        if (c->bus)
                return 0;
        r = c->socket ? use_peer(c, c->socket) : use_bus(c);
        if (r == 0)
                c->timeout = c->quiet ? TIMEOUT_QUIET : TIMEOUT;
        return r;
}

/* --- calling --- */

static int call_list(Ctl *c, const LinkCall *call, sd_bus_message **ret, const char *types, va_list ap) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error e = {};
        const char *action = bus_action(call->interface ?: BUS_MANAGER, call->member);
        bool ask = action && !streq(action, BUS_ACTION_READ) && !c->peer && !c->host && isatty(STDIN_FILENO);
        int r;

        r = link_open(c);
        if (r != 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, &m, c->peer ? NULL : BUS_NAME, call->path ?: BUS_PATH,
                                           call->interface ?: BUS_MANAGER, call->member);
        if (r >= 0 && types)
                r = sd_bus_message_appendv(m, types, ap);
        if (r >= 0 && c->verb->flags & VERB_NO_START)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0 && ask)
                r = sd_bus_message_set_allow_interactive_authorization(m, true);
        if (r < 0)
                return ctl_say(c, CTL_FAILED, "%s: %s", c->verb->name, strerror(-r));
        if (ask)
                agent_start();
        r = sd_bus_call(c->bus, m, c->timeout, &e, ret);
        if (r < 0 && call->optional && link_is_no_object(&e))
                return 0;
        return r < 0 ? tell(c, call, &e, r) : 0;
}

int link_call(Ctl *c, const LinkCall *call, sd_bus_message **ret, const char *types, ...) {
        va_list ap;
        int r;

        va_start(ap, types);
        r = call_list(c, call, ret, types, ap);
        va_end(ap);
        return r;
}

int link_properties(Ctl *c, const char *path, const char *interface, sd_bus_message **ret) {
        return link_call(c,
                         &(LinkCall){ .path = path,
                                      .interface = "org.freedesktop.DBus.Properties",
                                      .member = "GetAll" },
                         ret, "s", interface);
}

char *link_key_id(const char *path) {
        char *id = NULL;

        return sd_bus_path_decode(path, BUS_KEY_PREFIX, &id) > 0 ? id : NULL;
}
