/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/text.h"
#include "io/notify-socket.h"

/* A path, or @NAME in the abstract namespace. */
static int address_of(struct sockaddr_un *ret, socklen_t *ret_size) {
        const char *name = getenv("NOTIFY_SOCKET");
        size_t n = strlen(name ?: "");

        if (n < 2 || (*name != '/' && *name != '@') || n >= sizeof(ret->sun_path))
                return -ENOENT;
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        memcpy(ret->sun_path, name, n);
        if (*name == '@')
                ret->sun_path[0] = 0;
        *ret_size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
        return 0;
}

int notify_socket_open(void) {
        struct sockaddr_un address;
        socklen_t size;
        int r;

        r = address_of(&address, &size);
        if (r < 0)
                return r;
        r = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return r < 0 ? -errno : r;
}

/* The socket is not connected: a service manager that binds its address again gets the next message. */
int notify_socket_send(int fd, const char *message) {
        struct sockaddr_un address;
        socklen_t size;
        int r;

        r = address_of(&address, &size);
        if (r < 0)
                return r;
        if (sendto(fd, message, strlen(message), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *) &address,
                   size) < 0)
                return -errno;
        return 0;
}
