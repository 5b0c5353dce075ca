/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/text.h"
#include "io/listen.h"

#define BACKLOG 4096

typedef union SocketAddress {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
} SocketAddress;

static int parse_inet(const char *s, SocketAddress *ret, socklen_t *ret_n) {
        char host[INET6_ADDRSTRLEN + 2];
        const char *colon = strrchr(s, ':');
        unsigned port;
        size_t n;
        int r;

        if (!colon)
                return -EINVAL;
        n = (size_t) (colon - s);
        if (n == 0 || n >= sizeof(host))
                return -EINVAL;
        r = text_parse_uint(colon + 1, &port);
        if (r < 0 || port > UINT16_MAX)
                return -EINVAL;
        memcpy(host, s, n);
        host[n] = 0;

        *ret = (SocketAddress){};
        if (host[0] == '[' && host[n - 1] == ']') {
                host[n - 1] = 0;
                ret->in6.sin6_family = AF_INET6;
                ret->in6.sin6_port = htons((uint16_t) port);
                *ret_n = sizeof(ret->in6);
                return inet_pton(AF_INET6, host + 1, &ret->in6.sin6_addr) == 1 ? 0 : -EINVAL;
        }
        ret->in.sin_family = AF_INET;
        ret->in.sin_port = htons((uint16_t) port);
        *ret_n = sizeof(ret->in);
        return inet_pton(AF_INET, host, &ret->in.sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse_unix(const char *path, SocketAddress *ret, socklen_t *ret_n) {
        size_t n = strlen(path);

        if (path[0] != '/' || n >= sizeof(ret->un.sun_path))
                return -EINVAL;
        *ret = (SocketAddress){ .un.sun_family = AF_UNIX };
        memcpy(ret->un.sun_path, path, n + 1);
        *ret_n = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + 1);
        return 0;
}

/* A socket that a crashed daemon left behind must not stop the next one from starting; a socket that answers
 * must. */
static void remove_stale(const SocketAddress *a, socklen_t n) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (lstat(a->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
                return;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, &a->sa, n) < 0 && errno == ECONNREFUSED)
                (void) unlink(a->un.sun_path);
}

int listen_open(const char *address, int *ret) {
        _cleanup_close_ int fd = -1;
        const char *path = startswith(address, "unix:");
        const int on = 1;
        SocketAddress a;
        socklen_t n;
        mode_t mask;
        int r;

        r = path ? parse_unix(path, &a, &n) : parse_inet(address, &a, &n);
        if (r < 0)
                return r;

        fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (path)
                remove_stale(&a, n);
        else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return -errno;

        mask = umask(0117);
        r = bind(fd, &a.sa, n) < 0 ? -errno : 0;
        (void) umask(mask);
        if (r < 0)
                return r;
        if (listen(fd, BACKLOG) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

int listen_check(int fd, bool *ret_unix) {
        int type = 0, accepting = 0, flags;
        socklen_t n = sizeof(type);
        SocketAddress a = {};

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0)
                return -errno;
        n = sizeof(accepting);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &n) < 0)
                return -errno;
        n = sizeof(a);
        if (getsockname(fd, &a.sa, &n) < 0)
                return -errno;
        if (type != SOCK_STREAM || !accepting)
                return -EPROTOTYPE;
        if (a.sa.sa_family != AF_INET && a.sa.sa_family != AF_INET6 && a.sa.sa_family != AF_UNIX)
                return -EPROTOTYPE;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        *ret_unix = a.sa.sa_family == AF_UNIX;
        return 0;
}

void listen_format(int fd, char ret[static LISTEN_NAME_MAX]) {
        SocketAddress a = {};
        socklen_t n = sizeof(a);
        char host[INET6_ADDRSTRLEN] = "?";

        if (getsockname(fd, &a.sa, &n) < 0) {
                (void) snprintf(ret, LISTEN_NAME_MAX, "?");
                return;
        }
        switch (a.sa.sa_family) {
        case AF_INET:
                (void) inet_ntop(AF_INET, &a.in.sin_addr, host, sizeof(host));
                (void) snprintf(ret, LISTEN_NAME_MAX, "%s:%u", host, ntohs(a.in.sin_port));
                break;
        case AF_INET6:
                (void) inet_ntop(AF_INET6, &a.in6.sin6_addr, host, sizeof(host));
                (void) snprintf(ret, LISTEN_NAME_MAX, "[%s]:%u", host, ntohs(a.in6.sin6_port));
                break;
        default:
                (void) snprintf(ret, LISTEN_NAME_MAX, "unix:%.108s", a.un.sun_path);
        }
}
