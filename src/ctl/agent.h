/* SPDX-License-Identifier: MIT */
#pragma once

/* polkit's textual agent, which asks for a password on this terminal when an action needs one, as systemctl
 * does it. Started once at most, and not for root; where it isn't installed, the action is denied. It ends
 * with us. */
void agent_start(void);
void agent_stop(void);
