/* SPDX-License-Identifier: MIT */

/* ListRequests: the requests under way, as rows. */

#include "base/text.h"
#include "bus/bus-manager.h"

typedef struct Requests {
        sd_bus_message *reply;
        int r; /* keeps the first failure */
} Requests;

static void append_request(const RequestView *v, void *userdata) {
        Requests *s = userdata;

        if (s->r >= 0)
                s->r = sd_bus_message_append(s->reply, "(ssssstssut)", v->id, strempty(v->client),
                                             strempty(v->route), strempty(v->model), v->state, v->age,
                                             strempty(v->key), strempty(v->key_name), v->attempts, v->bytes);
}

int bus_list_requests(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Bus *b = userdata;
        Requests s = {};
        size_t total;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssssstssut)");
        if (r < 0)
                return r;
        s.reply = reply;
        total = b->p.requests(append_request, &s, b->p.userdata);
        if (s.r < 0)
                return s.r;
        r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", (uint32_t) total);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
