/* SPDX-License-Identifier: MIT */
/*
 * A path between two network namespaces, packet by packet: for tests of what a network does, because the
 * delays of TCP's own recovery are only right if the packets themselves are late.
 *
 *     net-relay DELAY JITTER
 *
 * It makes two namespaces with a TUN device each, 198.18.0.1 (near) and 198.18.0.2 (far), and passes packets
 * on in both directions: each after DELAY microseconds and up to JITTER more, in their order. `ready NEAR
 * FAR` is printed: the descriptors of the namespaces, which others enter by /proc/PID/fd/NUMBER. A line on
 * stdin is a command, and `done` is the answer:
 *
 *     forget    every TCP connection of the near side that was seen is half-open from now on: its packets
 *               are dropped, as a NAT does that has lost its state; new connections work
 *
 * The end of stdin ends the relay, and the namespaces with it: nothing is left of a test that is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"

#define NEAR_ADDRESS "198.18.0.1" /* of the block for measurements (RFC 2544) */
#define FAR_ADDRESS  "198.18.0.2"
#define NETMASK      "255.255.255.252"
#define PACKET_MAX   2048U /* the devices' MTU is 1500 */
#define PACKETS_MAX  8192U /* under way in one direction; more are dropped, as a router does */
#define READS_MAX    64U   /* of one direction in a turn */

typedef struct Packet {
        usec_t due;
        size_t n;
        unsigned char bytes[PACKET_MAX];
} Packet;

typedef struct Direction {
        int from, to;
        bool is_near; /* it comes from the near side */
        Packet *packets; /* a ring */
        size_t first, n;
        usec_t last; /* when the last one is due: none overtakes another */
} Direction;

typedef struct Relay {
        unsigned delay, jitter;
        Direction directions[2];
        bool seen[1U << 16], forgotten[1U << 16]; /* ports of TCP on the near side */
} Relay;

/* The sentence of a machine that lacks the means. */
static int lacks(const char *what, int error) {
        fprintf(stderr, "net-relay: the kernel gives no %s here: %s\n", what, strerror(error));
        return -error;
}

/* --- the namespaces --- */

static int device_up(int fd, const char *name) {
        struct ifreq request = {};

        text_copy(request.ifr_name, sizeof(request.ifr_name), name);
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int device_set(int fd, const char *name, unsigned long what, const char *address) {
        struct ifreq request = {};
        struct sockaddr_in a = { .sin_family = AF_INET };

        text_copy(request.ifr_name, sizeof(request.ifr_name), name);
        if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
                return -EINVAL;
        memcpy(&request.ifr_addr, &a, sizeof(a));
        return ioctl(fd, what, &request) < 0 ? -errno : 0;
}

/* In the present namespace. */
static int tun_open(const char *name, const char *address, int *ret) {
        _cleanup_close_ int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), control = -1;
        struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
        int r;

        if (tun < 0)
                return -errno;
        text_copy(request.ifr_name, sizeof(request.ifr_name), name);
        if (ioctl(tun, TUNSETIFF, &request) < 0)
                return -errno;
        control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (control < 0)
                return -errno;
        r = device_set(control, name, SIOCSIFADDR, address);
        if (r >= 0)
                r = device_set(control, name, SIOCSIFNETMASK, NETMASK);
        if (r >= 0)
                r = device_up(control, name);
        if (r >= 0)
                r = device_up(control, "lo");
        if (r < 0)
                return r;
        *ret = TAKE_FD(tun);
        return 0;
}

/* This process is in the new namespace then. */
static int side_open(const char *name, const char *address, int *ret_tun, int *ret_namespace) {
        int r;

        if (unshare(CLONE_NEWNET) < 0)
                return lacks("network namespaces", errno);
        r = tun_open(name, address, ret_tun);
        if (r < 0)
                return lacks("TUN devices", -r);
        *ret_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        return *ret_namespace < 0 ? lacks("/proc/self/ns/net", errno) : 0;
}

/* --- the packets --- */

/* Of a packet of TCP over IPv4; -1: another one. */
static int near_port(const Direction *d, const Packet *p) {
        struct iphdr ip;
        struct tcphdr tcp;
        size_t n;

        if (p->n < sizeof(ip))
                return -1;
        memcpy(&ip, p->bytes, sizeof(ip));
        n = (size_t) ip.ihl * 4;
        if (ip.version != 4 || ip.protocol != IPPROTO_TCP || n < sizeof(ip) || p->n < n + sizeof(tcp))
                return -1;
        memcpy(&tcp, p->bytes + n, sizeof(tcp));
        return ntohs(d->is_near ? tcp.source : tcp.dest);
}

static bool passes(Relay *r, const Direction *d, const Packet *p) {
        int port = near_port(d, p);

        if (port < 0)
                return true;
        r->seen[port] = true;
        return !r->forgotten[port];
}

static void direction_read(Relay *r, Direction *d) {
        static Packet spare;
        usec_t now = clock_monotonic();

        for (unsigned i = 0; i < READS_MAX; i++) {
                bool full = d->n == PACKETS_MAX;
                Packet *p = full ? &spare : &d->packets[(d->first + d->n) % PACKETS_MAX];
                ssize_t n = read(d->from, p->bytes, sizeof(p->bytes));

                if (n <= 0)
                        return;
                p->n = (size_t) n;
                if (full || !passes(r, d, p))
                        continue;
                p->due = now + r->delay + (r->jitter > 0 ? (unsigned) random() % r->jitter : 0);
                d->last = p->due = MAX(p->due, d->last);
                d->n++;
        }
}

static void direction_write(Direction *d, usec_t now) {
        while (d->n > 0 && d->packets[d->first].due <= now) {
                const Packet *p = &d->packets[d->first];

                /* A device whose queue is full drops packets as well. */
                (void) !write(d->to, p->bytes, p->n);
                d->first = (d->first + 1) % PACKETS_MAX;
                d->n--;
        }
}

/* --- commands --- */

/* False: there are no more. */
static bool obey(Relay *r) {
        char line[64];

        if (!fgets(line, sizeof(line), stdin))
                return false;
        if (streq(line, "forget\n"))
                memcpy(r->forgotten, r->seen, sizeof(r->forgotten));
        puts(streq(line, "forget\n") ? "done" : "unknown");
        (void) fflush(stdout);
        return true;
}

static void run(Relay *r) {
        Direction *d = r->directions;
        struct pollfd fds[] = {
                { .fd = d[0].from, .events = POLLIN },
                { .fd = d[1].from, .events = POLLIN },
                { .fd = STDIN_FILENO, .events = POLLIN },
        };

        for (;;) {
                usec_t now = clock_monotonic(), due = USEC_INFINITY;
                struct timespec t;

                for (size_t i = 0; i < 2; i++) {
                        direction_write(&d[i], now);
                        if (d[i].n > 0)
                                due = MIN(due, d[i].packets[d[i].first].due);
                }
                t = (struct timespec){
                        .tv_sec = (time_t) (usec_sub(due, now) / USEC_PER_SEC),
                        .tv_nsec = (long) (usec_sub(due, now) % USEC_PER_SEC * 1000),
                };
                if (ppoll(fds, ELEMENTSOF(fds), due == USEC_INFINITY ? NULL : &t, NULL) < 0 &&
                    errno != EINTR)
                        return;
                for (size_t i = 0; i < 2; i++)
                        if (fds[i].revents)
                                direction_read(r, &d[i]);
                if (fds[2].revents && !obey(r))
                        return;
        }
}

int main(int argc, char **argv) {
        static Relay relay;
        Direction *d = relay.directions;
        int near, far;

        if (argc != 3 || text_parse_uint(argv[1], &relay.delay) < 0 ||
            text_parse_uint(argv[2], &relay.jitter) < 0) {
                fprintf(stderr, "usage: net-relay DELAY JITTER\n");
                return 64;
        }
        if (side_open("near", NEAR_ADDRESS, &d[0].from, &near) < 0 ||
            side_open("far", FAR_ADDRESS, &d[1].from, &far) < 0)
                return 69;
        d[0].to = d[1].from;
        d[1].to = d[0].from;
        d[0].is_near = true;
        for (size_t i = 0; i < 2; i++) {
                d[i].packets = calloc(PACKETS_MAX, sizeof(Packet));
                if (!d[i].packets)
                        return 70;
        }
        /* Fifty microseconds late is the kernel's default. */
        (void) prctl(PR_SET_TIMERSLACK, 1UL);
        printf("ready %d %d\n", near, far);
        (void) fflush(stdout);
        run(&relay);
        for (size_t i = 0; i < 2; i++)
                free(d[i].packets);
        return 0;
}
