/* SPDX-License-Identifier: MIT */

/*
 * A reply with tens of thousands of rows takes hundreds of milliseconds. So it is made in slices, between
 * which the loop serves everything else, and is sent at its end. If a reload replaces the keys meanwhile, it
 * starts again. If the connection is closed, it is dropped.
 *
 * sd-bus bounds its queues by the number of messages only. What bounds them in bytes is here:
 *
 *   - a client of the control socket gets no reply that may be large while it has not read the last ones.
 *     The system bus always reads, so a few messages may wait there;
 *   - a client has one large answer at a time, and all of them together BUS_UNREAD_ROWS_MAX rows, including
 *     those that are sent and not read yet;
 *   - an answer with more than BUS_ROWS_MAX rows is refused, before the work is done where the number is
 *     known.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "bus/bus-answer.h"

#define SYSTEM_QUEUE_MAX 16U /* messages */

/* --- what a link may have --- */

/* Methods whose replies may be larger than some KiB. */
static const char *const large_methods[] = {
        "GetManagedObjects", "Introspect", "Get", "GetAll", "ListRequests",
        "ListDays", "ListClientDays", "GetStatistics", "ListKeyHealth", "ExplainPick", "TestKeys",
};

static bool may_be_large(sd_bus_message *call) {
        const char *member = sd_bus_message_get_member(call);

        for (size_t i = 0; i < ELEMENTSOF(large_methods); i++)
                if (streq_ptr(large_methods[i], member))
                        return true;
        return false;
}

static uint64_t n_queued(BusLink *l) {
        uint64_t n;

        if (sd_bus_get_n_queued_write(l->bus, &n) < 0)
                return UINT64_MAX;
        if (n == 0)
                l->unread_rows = 0;
        return n;
}

bool bus_answer_admits(BusLink *l, sd_bus_message *call) {
        bool is_peer = l != &l->owner->system;

        if (!may_be_large(call) || n_queued(l) <= (is_peer ? 0 : SYSTEM_QUEUE_MAX))
                return true;
        if (is_peer && !bus_link_takes(l))
                return true; /* bus-peer.c disconnects it */
        if (bus_link_takes(l))
                (void) sd_bus_reply_method_errorf(call, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                  "Read the earlier answers first: they wait for you.");
        return false;
}

/* Of answers that are being made, and of sent ones that may be unread. */
static size_t rows_of(BusLink *l) {
        size_t n = n_queued(l) > 0 ? l->unread_rows : 0;

        LIST_FOREACH(i, &l->answers)
                n += list_entry(i, BusAnswer, answers)->n_rows;
        return n;
}

static bool has_room(const BusAnswer *a) {
        Bus *b = a->bus;
        size_t n = a->n_rows + (b->system.bus ? rows_of(&b->system) : 0);

        LIST_FOREACH(i, &b->links) {
                BusLink *l = list_entry(i, BusLink, links);

                if (l != &b->system)
                        n += rows_of(l);
        }
        return n <= BUS_UNREAD_ROWS_MAX && b->n_answers < BUS_ANSWERS_MAX;
}

static bool is_first_of_client(const BusAnswer *a) {
        LIST_FOREACH(i, &a->link->answers)
                if (streq_ptr(sd_bus_message_get_sender(list_entry(i, BusAnswer, answers)->call),
                              sd_bus_message_get_sender(a->call)))
                        return false;
        return true;
}

static int check_room(const BusAnswer *a, sd_bus_error *e) {
        if (a->n_rows > BUS_ROWS_MAX)
                return -E2BIG;
        if (a->n_rows <= BUS_LARGE_ROWS)
                return 0;
        if (!is_first_of_client(a))
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Another large answer to you is being made: wait for it.");
        if (!has_room(a))
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many large answers are being made or are unread: try again.");
        return 0;
}

/* --- its making --- */

static void answer_free(BusAnswer *a) {
        loop_slice_remove(&a->slice);
        if (list_is_linked(&a->answers))
                a->bus->n_answers--;
        list_unlink(&a->answers);
        sd_bus_message_unref(a->call);
        sd_bus_message_unref(a->reply);
        a->ops->free(a);
}

void bus_answers_drop(BusLink *l) {
        LIST_FOREACH(i, &l->answers)
                answer_free(list_entry(i, BusAnswer, answers));
        l->unread_rows = 0;
}

static int begin(BusAnswer *a) {
        int r;

        if (++a->n_starts > BUS_ANSWER_STARTS_MAX)
                return -EBUSY;
        a->reply = sd_bus_message_unref(a->reply);
        r = sd_bus_message_new_method_return(a->call, &a->reply);
        return r < 0 ? r : a->ops->begin(a);
}

/* 1: there is more to do. 0: the reply is sent. */
static int advance(BusAnswer *a) {
        int r;

        r = a->ops->step(a);
        if (r == -ESTALE) {
                r = begin(a);
                return r < 0 ? r : 1;
        }
        if (r != 0)
                return r;
        a->link->unread_rows += a->n_rows; /* until its queue is empty */
        r = sd_bus_send(NULL, a->reply, NULL);
        return MIN(r, 0);
}

static int set_error(BusAnswer *a, int r, sd_bus_error *e) {
        if (r == -E2BIG)
                return sd_bus_error_setf(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "The answer has more than %u rows: ask the keys one by one, or for "
                                         "fewer days.",
                                         BUS_ROWS_MAX);
        if (r == -EBUSY)
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "The keys were replaced again and again meanwhile: try again.");
        return a->ops->refuse ? a->ops->refuse(a, r, e) : r;
}

static void on_slice(void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
        BusAnswer *a = userdata;
        int r;

        r = advance(a);
        if (r > 0)
                return;
        if (r < 0) {
                r = set_error(a, r, &e);
                if (sd_bus_error_is_set(&e))
                        (void) sd_bus_reply_method_error(a->call, &e);
                else
                        (void) sd_bus_reply_method_errno(a->call, r, NULL);
        }
        answer_free(a);
}

static BusLink *link_of(Bus *b, const sd_bus *bus) {
        LIST_FOREACH(i, &b->links)
                if (list_entry(i, BusLink, links)->bus == bus)
                        return list_entry(i, BusLink, links);
        return b->system.bus == bus ? &b->system : NULL;
}

int bus_answer_start(BusAnswer *a, sd_bus_message *call, sd_bus_error *e) {
        Bus *b = a->bus;
        int r;

        list_init(&a->answers);
        a->call = sd_bus_message_ref(call);
        a->link = link_of(b, sd_bus_message_get_bus(call));
        r = a->link ? check_room(a, e) : -ENOTCONN;
        if (r >= 0)
                r = begin(a);
        if (r >= 0)
                r = advance(a);
        if (r <= 0) {
                r = r < 0 ? set_error(a, r, e) : 1;
                answer_free(a);
                return r;
        }
        list_append(&a->link->answers, &a->answers);
        b->n_answers++;
        loop_slice_add(b->p.loop, &a->slice, on_slice, a);
        return 1;
}
