/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/text.h"
#include "wire.h"

static const char *const fault_names[_FAULT_MAX] = {
        [FAULT_CONNECT] = "connect",       [FAULT_STATUS] = "status",   [FAULT_BROKEN] = "broken",
        [FAULT_INCOMPLETE] = "incomplete", [FAULT_TIMEOUT] = "timeout",
};

int wire_read_request(const char *path, WireRequest *ret) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, ret->bytes, sizeof(ret->bytes));
        if (n < 0)
                return -errno;
        if ((size_t) n == sizeof(ret->bytes))
                return -EFBIG;
        ret->n = (size_t) n;
        return 0;
}

int wire_connect(uint16_t port, int epoll, void *data) {
        struct sockaddr_in to = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = data };
        _cleanup_close_ int fd = -1;
        int one = 1;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0 && errno != EINPROGRESS)
                return -errno;
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                return -errno;
        return TAKE_FD(fd);
}

bool wire_send(int fd, const WireRequest *r, size_t *n_sent) {
        while (*n_sent < r->n) {
                ssize_t n = send(fd, r->bytes + *n_sent, r->n - *n_sent, MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN;
                *n_sent += (size_t) n;
        }
        return true;
}

int wire_allow_connections(unsigned n) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max;
        if (limit.rlim_cur < n + 16)
                return -EMFILE;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int answer_fault(const Answer *a) {
        if (a->state == ANSWER_BAD)
                return FAULT_BROKEN;
        if (a->state > ANSWER_HEAD && a->status != 200)
                return FAULT_STATUS;
        if (a->state == ANSWER_DONE && *a->mark && !a->complete)
                return FAULT_INCOMPLETE;
        return -1;
}

void faults_note(Faults *f, Fault fault, unsigned n, const Answer *a) {
        assert(fault < _FAULT_MAX);

        if (!f->detail[0])
                (void) snprintf(f->detail, sizeof(f->detail), "%s: %.*s", fault_names[fault],
                                (int) strcspn(a->head, "\r\n\"\\"), a->head);
        f->n[fault] += n;
}

unsigned faults_total(const Faults *f) {
        unsigned n = 0;

        for (Fault i = 0; i < _FAULT_MAX; i++)
                n += f->n[i];
        return n;
}

void faults_print(const Faults *f) {
        for (Fault i = 0; i < _FAULT_MAX; i++)
                printf(", \"%s\": %u", fault_names[i], f->n[i]);
        printf(", \"detail\": \"%s\"}\n", f->detail);
}
