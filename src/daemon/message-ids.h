/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The journal's MESSAGE_ID of each event. They never change, so that `journalctl MESSAGE_ID=…` finds an
 * event years later. packaging/gemgate.catalog explains each; a test compares the two lists.
 */

#define MESSAGE_KEY_UNHEALTHY   "41f77b4cb8874f90be411c3e3959a9ba"
#define MESSAGE_KEY_DEAD        "87d298182d2245da81cba769a171f288"
#define MESSAGE_KEY_BACK        "d236bf28785643d3a6a28095f4e0f26e"
#define MESSAGE_QUOTA_EXHAUSTED "5aac284db1fc4cf49c8fd723b28fb4e1"
#define MESSAGE_QUOTA_WARNING   "1b8fc4f276a24db28881c9464422bcc3"
#define MESSAGE_PROJECT_LEARNED "f14d8adeb21640258b784c0ef8b8cd6d"
#define MESSAGE_KEYS_GONE       "5eb6491e2fa74e4e8a2a3fcbcbd445dc"
#define MESSAGE_RELOADED        "161dc480c8954864a328730d02bdba85"
#define MESSAGE_RELOAD_REFUSED  "1987c5ce2bdb460882dc440b999429b7"
#define MESSAGE_CONNECTIONS     "c24df5858eed4230909987b78fd79c58"
#define MESSAGE_DRAINING        "e14f20b2dae141cd95ca8de7cf8ae7da"
#define MESSAGE_STATE_FAILED    "6d0f0b3ea8c44a5fb1c8a8f0d2b7c94e"
#define MESSAGE_STATE_ASIDE     "b27d1c5f9e3a4c0a8d64e1f7a5093bd2"
#define MESSAGE_START_FAILED    "42c17f2d0a3146d483c00cdc2dc5c96f"
