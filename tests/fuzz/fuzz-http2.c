/* SPDX-License-Identifier: MIT */

/*
 * The bytes of a server of HTTP/2, to a connection that carries three works: one reads, one sends its body,
 * one is paused. The first byte is the length of the pieces. Whatever comes, each work ends once, with a
 * verdict that is true (http2-world.c checks it), and the memory of the connection is bounded.
 */

#include "../unit/http2-world.h"
#include "io/http2-internal.h"

#define INPUT_MAX (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char body[2000];
        static World w;
        size_t piece;

        if (size < 1 || size > INPUT_MAX)
                return 0;
        piece = 1 + data[0] * 16U;
        world_begin(&w);
        (void) world_get(&w);
        work_upload(world_work(&w), body, sizeof(body), data[0] & 1 ? sizeof(body) : SIZE_MAX);
        MUST(world_start(&w, &w.works[1]) == 0);
        world_get(&w)->w.paused = true;
        world_turn(&w);
        for (size_t at = 1; at < size && !w.closed; at += piece) {
                world_send(&w, data + at, MIN(piece, size - at));
                world_turn(&w);
                MUST(w.c->memory.n <= HTTP2_MEMORY_MAX);
                if (w.works[2].w.connection && (at / piece) % 8 == 7) {
                        w.works[2].w.paused = !w.works[2].w.paused;
                        http2_continue(w.c, &w.works[2].w);
                }
        }
        /* The end of the connection is the end of all. */
        w.fd = safe_close(w.fd);
        world_turn(&w);
        MUST(w.closed);
        for (unsigned i = 0; i < w.n_works; i++)
                MUST(w.works[i].n_ends == 1 && w.works[i].n_sent == 1);
        MUST(w.works[2].body.n <= INPUT_MAX);
        world_end(&w);
        return 0;
}
