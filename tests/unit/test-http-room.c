/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "io/http-room.h"

#define MIB (1U << 20)
#define KIB (1U << 10)
#define WHOLE (512U * MIB)

enum { NO_CLIENT, A, B, C, D };

static HttpRoom room;

static int setup(void **state _unused_) {
        room = (HttpRoom){ .max = WHOLE };
        return 0;
}

/* A body that arrives in pieces of 16 KiB; what was taken of it stays. */
static bool upload(HttpShare *s, uint64_t client, uint64_t size) {
        *s = (HttpShare){ .client = client };
        for (uint64_t n; size > 0; size -= n) {
                n = size < 16 * KIB ? size : 16 * KIB;
                if (!http_room_take(&room, s, n))
                        return false;
        }
        return true;
}

/* As many bodies of one client as get in, each to its end or to where it stops. */
static uint64_t flood(uint64_t client, uint64_t size, unsigned n) {
        uint64_t before = room.held;
        HttpShare s;

        while (n-- > 0)
                if (!upload(&s, client, size)) {
                        http_room_give_back(&room, &s);
                        break;
                }
        return room.held - before;
}

static bool fits(uint64_t client, uint64_t size) {
        HttpShare s;
        bool ok = upload(&s, client, size);

        http_room_give_back(&room, &s);
        return ok;
}

static void test_one_client(void **state _unused_) {
        assert_int_equal(flood(A, 30 * MIB, 41), 240 * MIB); /* half, in whole bodies */
        assert_true(fits(A, 20 * KIB));
        assert_false(fits(A, 30 * MIB));
        assert_true(fits(B, 32 * MIB));
}

static void test_two_clients_leave_small_bodies_room(void **state _unused_) {
        assert_int_equal(flood(A, 32 * MIB, 41), WHOLE / 2);
        assert_int_equal(flood(B, 32 * MIB, 41), WHOLE / 2 - WHOLE / 8);
        for (uint64_t client = A; client <= C; client++) {
                assert_true(fits(client, 20 * KIB));
                assert_true(fits(client, HTTP_SMALL_BODY_MAX));
                assert_false(fits(client, HTTP_SMALL_BODY_MAX + 1));
        }
}

/* No client's small bodies fill the reserve. */
static void test_flood_of_small_bodies(void **state _unused_) {
        (void) flood(A, 32 * MIB, 41);
        (void) flood(B, 32 * MIB, 41);
        assert_int_equal(flood(A, 20 * KIB, 100000), WHOLE / 32 / (20 * KIB) * (20 * KIB));
        assert_false(fits(A, 20 * KIB));
        assert_true(fits(B, 20 * KIB));
        assert_true(fits(C, 20 * KIB));
}

/* Where there is room, a client's small bodies are not limited to a quarter of the reserve. */
static void test_many_small_bodies(void **state _unused_) {
        assert_int_equal(flood(A, 128 * KIB, 1000), 125 * MIB);
        assert_int_equal(flood(A, 128 * KIB, 5000), WHOLE / 2 - 125 * MIB);
}

/* A body that is larger than a client's half, and one that is larger than all but the reserve. */
static void test_one_large_body(void **state _unused_) {
        HttpShare s;

        assert_true(fits(A, 300 * MIB));
        assert_true(fits(A, WHOLE));
        assert_false(fits(A, WHOLE + 1));
        assert_true(upload(&s, B, 20 * KIB));
        assert_true(fits(A, WHOLE - WHOLE / 8 - 20 * KIB));
        assert_false(fits(A, WHOLE - WHOLE / 8));
        http_room_give_back(&room, &s);
}

/* Without a client: the room is the only limit. */
static void test_no_client(void **state _unused_) {
        assert_int_equal(flood(NO_CLIENT, 32 * MIB, 41), WHOLE);
        assert_false(fits(NO_CLIENT, 1));
}

/* A reload may set a maximum below what is held. */
static void test_less_than_is_held(void **state _unused_) {
        HttpShare s;

        assert_true(upload(&s, A, 100 * MIB));
        room.max = 64 * MIB;
        assert_false(fits(B, 1));
        http_room_give_back(&room, &s);
        assert_true(fits(B, 64 * MIB));
}

/* All is given back: of bodies that are small, large, or stopped in between. */
static void test_given_back(void **state _unused_) {
        static const uint64_t sizes[] = { 0, 1, HTTP_SMALL_BODY_MAX, HTTP_SMALL_BODY_MAX + 1, 300U * MIB };
        HttpShare s[ELEMENTSOF(sizes)][D];

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                for (uint64_t client = 0; client < D; client++)
                        (void) upload(&s[i][client], client, sizes[i]);
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                for (uint64_t client = 0; client < D; client++)
                        http_room_give_back(&room, &s[i][client]);
        assert_int_equal(room.held, 0);
        for (size_t i = 0; i < HTTP_ROOM_PLACES; i++) {
                assert_int_equal(room.holders[i].all, 0);
                assert_int_equal(room.holders[i].small, 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_one_client, setup),
                cmocka_unit_test_setup(test_two_clients_leave_small_bodies_room, setup),
                cmocka_unit_test_setup(test_flood_of_small_bodies, setup),
                cmocka_unit_test_setup(test_many_small_bodies, setup),
                cmocka_unit_test_setup(test_one_large_body, setup),
                cmocka_unit_test_setup(test_no_client, setup),
                cmocka_unit_test_setup(test_less_than_is_held, setup),
                cmocka_unit_test_setup(test_given_back, setup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
