/* SPDX-License-Identifier: MIT */
#include "base/macros.h"
#include "core/key-test.h"

const char *key_test_to_string(KeyTestOutcome o) {
        static const char *const names[_KEY_TEST_MAX] = {
                [KEY_TEST_WORKS] = "works",
                [KEY_TEST_DEAD] = "dead",
                [KEY_TEST_REFUSED] = "refused",
                [KEY_TEST_UNREACHABLE] = "unreachable",
        };

        assert(o >= 0 && o < _KEY_TEST_MAX);
        return names[o];
}

/* The fault decides: that of the network or of the model is none of the key's. A refused region and a
 * refusal without a reason are Google's, but other keys or other roads may fare no better. */
KeyTestOutcome key_test_outcome(const Verdict *v) {
        if (v->class == VERDICT_OK)
                return KEY_TEST_WORKS;
        if (v->class == VERDICT_KEY_DEAD && !v->is_unsure)
                return KEY_TEST_DEAD;
        if (v->class == VERDICT_GEO)
                return KEY_TEST_REFUSED;
        switch (verdict_rule(v->class)->fault) {
        case FAULT_NOBODY:
        case FAULT_NETWORK:
        case FAULT_MODEL:
                return KEY_TEST_UNREACHABLE;
        default:
                return KEY_TEST_REFUSED;
        }
}
