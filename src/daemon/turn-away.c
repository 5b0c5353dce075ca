/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/limits.h"
#include "base/text.h"
#include "daemon/turn-away.h"
#include "io/listen.h"

#define EXECUTE_FAILED 200U

static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 128\r\n"
        "Retry-After: 30\r\nConnection: close\r\n\r\n"
        "{\"error\":{\"message\":\"gemgate cannot start; its log says "
        "why.\",\"type\":\"server_error\",\"param\":null,"
        "\"code\":\"service_unavailable\"}}\n";

static void turn_away(int fd) {
        char drain[16384];

        /* Unread bytes would make the kernel reset the connection, and the answer would be lost. */
        (void) recv(fd, drain, sizeof(drain), MSG_DONTWAIT);
        (void) send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void) shutdown(fd, SHUT_WR);
        (void) close(fd);
}

void turn_away_waiting(int n_listeners) {
        bool is_unix;

        for (int i = 0; i < n_listeners; i++) {
                int listener = SD_LISTEN_FDS_START + i, fd;

                if (listen_check(listener, &is_unix) < 0)
                        continue;
                for (unsigned j = 0; j < TURN_AWAY_MAX; j++) {
                        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
                                break;
                        if (fd >= 0)
                                turn_away(fd);
                }
        }
}

/*
 * systemd passes the exit status of the unit that has failed. From 200 on the status is systemd's, of a
 * process that it could not set up. A daemon with a lower status ran, and has answered its clients itself.
 */
void turn_away_unexecuted(int n_listeners) {
        const char *passed = strempty(getenv("MONITOR_EXIT_STATUS"));
        unsigned status;

        if (text_parse_uint(passed, &status) < 0 || status >= EXECUTE_FAILED)
                turn_away_waiting(n_listeners);
}
