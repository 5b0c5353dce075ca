/* SPDX-License-Identifier: MIT */
#pragma once

/* GEMINI_STORE: whether Google may keep requests and answers. A request can forbid or allow it by its
 * member `store`; without that the setting of the Google project decides: new ones keep them. */
typedef enum GeminiStore {
        GEMINI_STORE_OFF,     /* forbidden */
        GEMINI_STORE_CLIENT,  /* as the client requests it, else forbidden */
        GEMINI_STORE_PROJECT, /* as the project is set; only a client can forbid it */
} GeminiStore;
