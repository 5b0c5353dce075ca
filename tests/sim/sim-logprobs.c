/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "sim-logprobs.h"

/* Tokens beside the chosen one, the likeliest first. */
static const char *const others[] = { " the", " a", " and", " of", " to", " in", " is", " it", " on", " as",
                                      ".",    ",",  "!",    "?",   ";",   ":",   "-",   "+",   "(",   ")" };

static size_t token_length(const char *s, size_t n) {
        size_t k = 0;

        while (k < n && s[k] == ' ')
                k++;
        while (k < n && s[k] != ' ')
                k++;
        return k;
}

static double probability(size_t i) {
        return -0.125 * (double) (i % 8);
}

static void write_token(JWriter *w, const char *token, size_t n, uint64_t id, double logprob) {
        jwrite_object(w, NULL);
        jwrite_string_n(w, "token", token, n);
        jwrite_uint(w, "tokenId", id);
        jwrite_fixed(w, "logProbability", logprob, 4);
        jwrite_end(w);
}

static void write_top(JWriter *w, const char *token, size_t n, size_t i, unsigned top) {
        jwrite_object(w, NULL);
        jwrite_array(w, "candidates");
        if (top > 0)
                write_token(w, token, n, i, probability(i));
        for (unsigned k = 1; k < MIN(top, ELEMENTSOF(others)); k++)
                write_token(w, others[k], strlen(others[k]), 1000 + k, probability(i) - k);
        jwrite_end(w);
        jwrite_end(w);
}

void logprobs_write(JWriter *w, const char *text, size_t n, unsigned top) {
        size_t count = 0;
        double sum = 0;

        jwrite_object(w, "logprobsResult");
        jwrite_array(w, "chosenCandidates");
        for (size_t at = 0, k; at < n; at += k, count++) {
                k = token_length(text + at, n - at);
                write_token(w, text + at, k, count, probability(count));
                sum += probability(count);
        }
        jwrite_end(w);
        if (top > 0) {
                size_t i = 0;

                jwrite_array(w, "topCandidates");
                for (size_t at = 0, k; at < n; at += k) {
                        k = token_length(text + at, n - at);
                        write_top(w, text + at, k, i++, top);
                }
                jwrite_end(w);
        }
        jwrite_end(w);
        if (count > 0)
                jwrite_fixed(w, "avgLogprobs", sum / (double) count, 4);
}
