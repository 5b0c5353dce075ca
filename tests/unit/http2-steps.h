/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of HTTP/2 do and expect, in steps. Each test has one connection at a time. */

#include "test.h"

#include <nghttp2/nghttp2.h>

#include "base/text.h"
#include "http2-world.h"

#define N_TEXT (300U << 10)
#define B(s) (s), sizeof(s) - 1 /* bytes that may be 0 */

static World world;

static _unused_ void begin(void) {
        world_begin(&world);
        world_settings(&world, 0, 0);
        world_turn(&world);
}

static _unused_ void expect_end(const Work *k, HttpWorkEnd end, const char *cause) {
        assert_int_equal(k->n_ends, 1);
        assert_int_equal(k->end, end);
        if (!strstr(k->cause, cause))
                assert_string_equal(k->cause, cause);
}

static _unused_ void expect_answer(Work *k, int status, const char *body) {
        expect_end(k, HTTP_WORK_COMPLETE, "");
        assert_int_equal(k->w.status, status);
        assert_string_equal(buf_cstr(&k->body), body);
}

static _unused_ void expect_frame(unsigned type, unsigned flags, int32_t stream) {
        Frame f;

        assert_true(world_next(&world, &f));
        assert_int_equal(f.type, type);
        assert_int_equal(f.flags, flags);
        assert_int_equal(f.stream, stream);
}

static _unused_ void expect_reset(int32_t stream) {
        Frame f;

        assert_true(world_find(&world, NGHTTP2_RST_STREAM, &f));
        assert_int_equal(f.stream, stream);
}

static _unused_ void expect_no_frame(void) {
        Frame f;

        assert_false(world_next(&world, &f));
}

static _unused_ unsigned window_update(int32_t stream) {
        unsigned sum = 0;
        Frame f;

        while (world_find(&world, NGHTTP2_WINDOW_UPDATE, &f))
                if (f.stream == stream)
                        sum += frame_number(&f);
        return sum;
}

static _unused_ const char *text(void) {
        static char p[N_TEXT + 1];

        for (size_t i = 0; i < N_TEXT; i++)
                p[i] = (char) ('a' + i * 7 % 26);
        return p;
}

/* A request is answered: the connection is in order. */
static _unused_ void works_on(void) {
        Work *k = world_get(&world);

        world_turn(&world);
        world_head(&world, k->w.stream, "200", false);
        world_data(&world, k->w.stream, "yes", true);
        world_turn(&world);
        expect_answer(k, 200, "yes");
}
