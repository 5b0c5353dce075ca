/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "dialect/gemini/kind.h"

/* What has no end: its binding is renewed when it is asked for. */
#define KEPT (366 * USEC_PER_DAY)

/* Sources: Google's documentation (files 48 h, caches 1 h, interactions 55 days of a paid project), and
 * google-genai 3.6.1 for the lists. */
const GeminiKind *gemini_kind(const char *name) {
        static const GeminiKind kinds[] = {
                { BINDING_FILES, "files", "file", 48 * USEC_PER_HOUR, 10 },
                { BINDING_CACHES, "cachedContents", "cached content", USEC_PER_HOUR, 50 },
                { BINDING_BATCHES, "operations", "batch", 60 * USEC_PER_DAY, 50 },
                { BINDING_OPERATIONS, "operations", "operation", 7 * USEC_PER_DAY, 50 },
                { BINDING_TUNED, "tunedModels", "tuned model", KEPT, 10 },
                { BINDING_STORES, "fileSearchStores", "file search store", KEPT, 10 },
                { BINDING_CORPORA, "corpora", "corpus", KEPT, 10 },
                { BINDING_GENERATED, "generatedFiles", "generated file", 48 * USEC_PER_HOUR, 10 },
                { BINDING_INTERACTIONS, "interactions", "interaction", 55 * USEC_PER_DAY, 10, .snake = true,
                  .by_the_way = true },
                { BINDING_AGENTS, "agents", "agent", KEPT, 50, .snake = true },
                { BINDING_ENVIRONMENTS, "environments", "environment", KEPT, 50, .snake = true },
                { BINDING_TRIGGERS, "triggers", "trigger", KEPT, 50, .snake = true },
                { BINDING_VOICES, "voices", "voice", KEPT, 50, .snake = true },
                { BINDING_WEBHOOKS, "webhooks", "webhook", KEPT, 50, .snake = true },
                { BINDING_CREDENTIALS, "credentials", "credential", KEPT, 50, .snake = true },
                { BINDING_SESSIONS, "liveSessions", "session", USEC_PER_DAY, 50, .by_the_way = true },
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (startswith(name, kinds[i].kind))
                        return &kinds[i];
        return NULL;
}
