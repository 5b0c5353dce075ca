/* SPDX-License-Identifier: MIT */

/*
 * The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an entry, each field as
 * `NAME=value` and a newline; a value with a newline comes after its length. sd_journal_sendv() does the
 * same, but it waits while journald does not read. What is too large for a datagram goes as a sealed memfd.
 */

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log-outlet.h"
#include "base/text.h"
#include "io/log-journal.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SEND_BUFFER    (8 << 20) /* as libsystemd asks for */

bool log_journal_is_stderr(void) {
        const char *e = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        if (!e || sscanf(e, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == dev && st.st_ino == ino;
}

/* --- an entry --- */

static void put_value(Buf *b, const char *value) {
        uint64_t n = htole64(strlen(value));

        if (!strchr(value, '\n')) {
                (void) buf_putc(b, '=');
                (void) buf_puts(b, value);
        } else {
                (void) buf_putc(b, '\n');
                (void) buf_append(b, &n, sizeof(n));
                (void) buf_puts(b, value);
        }
        (void) buf_putc(b, '\n');
}

static void put_own(Buf *b, const char *name, const char *value) {
        (void) buf_puts(b, name);
        put_value(b, value);
}

static void put_field(Buf *b, const LogField *f) {
        (void) buf_puts(b, "GEMGATE_");
        for (const char *p = f->name; *p; p++)
                (void) buf_putc(b, (char) toupper((unsigned char) *p));
        put_value(b, f->value);
}

/* The path from src/ on, without the build's directory. */
static const char *source_path(const char *file) {
        const char *p = NULL;

        for (const char *q = file; (q = strstr(q, "src/")); q++)
                p = q;
        return p ?: file;
}

static void put_entry(Buf *b, const LogRecord *r) {
        static const int priorities[_LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = LOG_ERR,
                [LOG_LEVEL_WARNING] = LOG_WARNING,
                [LOG_LEVEL_INFO] = LOG_INFO,
                [LOG_LEVEL_DEBUG] = LOG_DEBUG,
        };

        put_own(b, "MESSAGE", r->message);
        put_own(b, "SYSLOG_IDENTIFIER", program_invocation_short_name);
        (void) buf_printf(b, "PRIORITY=%d\n", priorities[r->level]);
        if (r->message_id)
                put_own(b, "MESSAGE_ID", r->message_id);
        if (r->file) {
                put_own(b, "CODE_FILE", source_path(r->file));
                (void) buf_printf(b, "CODE_LINE=%d\n", r->line);
                put_own(b, "CODE_FUNC", r->func);
        }
        for (size_t i = 0; i < r->n_fields; i++)
                if (r->fields[i].value)
                        put_field(b, &r->fields[i]);
}

static void put_dropped(uint64_t n, Buf *out) {
        char message[128], count[24];
        const LogField field = { "left_out", count, true };

        (void) snprintf(count, sizeof(count), "%llu", (unsigned long long) n);
        (void) snprintf(message, sizeof(message),
                        "%s lines of the log were dropped: the journal did not take them", count);
        put_entry(out, &(LogRecord){
                               .level = LOG_LEVEL_WARNING,
                               .message = message,
                               .fields = &field,
                               .n_fields = 1,
                       });
}

/* --- the socket --- */

static int journal_connect(int fd) {
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };

        return connect(fd, (const struct sockaddr *) &a, sizeof(a)) < 0 ? -errno : 0;
}

/* As a file without a name, whose descriptor is sent. journald takes only a file that cannot change. */
static ssize_t send_memfd(int fd, const char *p, size_t n) {
        _cleanup_close_ int file = memfd_create("gemgate-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct msghdr m = { .msg_control = &control, .msg_controllen = sizeof(control) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        if (file < 0 || write(file, p, n) != (ssize_t) n ||
            fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
                return -EMSGSIZE;
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &file, sizeof(int));
        return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : (ssize_t) n;
}

static ssize_t send_entry(int fd, const char *p, size_t n) {
        ssize_t k = send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (k >= 0)
                return k;
        return errno == EMSGSIZE || errno == ENOBUFS ? send_memfd(fd, p, n) : -errno;
}

/* A socket that journald has opened again needs another connect(). */
static ssize_t journal_write(int fd, const char *p, size_t n) {
        ssize_t k = send_entry(fd, p, n);
        int r;

        if (k >= 0 || k == -EAGAIN || k == -EINTR || k == -EMSGSIZE)
                return k;
        r = journal_connect(fd);
        return r < 0 ? r : send_entry(fd, p, n);
}

static LogOutlet *journal_open(void) {
        static LogOutlet *outlet;
        LogOutletParams p = { .write = journal_write, .dropped = put_dropped };
        const int size = SEND_BUFFER;

        if (outlet)
                return outlet;
        p.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (p.fd < 0)
                return NULL;
        (void) setsockopt(p.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        (void) journal_connect(p.fd); /* else journal_write() tries again */
        if (log_outlet_new(&p, &outlet) < 0)
                (void) close(p.fd);
        return outlet;
}

void log_journal_sink(const LogRecord *r) {
        _cleanup_buf_ Buf b = BUF_INIT(LOG_LINE_MAX);
        LogOutlet *outlet = journal_open();

        put_entry(&b, r);
        if (outlet && b.error >= 0)
                log_outlet_put(outlet, buf_data(&b), b.n);
}
